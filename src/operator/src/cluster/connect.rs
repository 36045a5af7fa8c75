//! How requests reach the API server: kube's own layers over a connector that finds addresses
//! without the C library. In a static program the C library's way to names needs files that an
//! image `FROM scratch` does not have; some clusters give pods a name for the API server, not an
//! address. Knows nothing of what is asked for.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use kube::client::retry::RetryPolicy;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config, Error};
use tower::retry::RetryLayer;
use tower::{BoxError, Service, ServiceBuilder};

/// What kube's `Client::try_from` makes, but for names. Proxies are not built in, as there.
///
/// # Errors
/// The configuration asks for a proxy, or names certificates that cannot be used.
pub(super) fn connected(config: Config) -> Result<Client, Error> {
    if let Some(proxy) = config.proxy_url {
        return Err(Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) });
    }
    let mut http = HttpConnector::new_with_resolver(Names);
    http.enforce_http(false);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(http)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let sender = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let retry = config.default_retry.then(|| RetryLayer::new(RetryPolicy::server_retry()));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(retry)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(sender.build::<_, Body>(connector));
    Ok(Client::new(service, config.default_namespace))
}

/// Addresses of names, by /etc/hosts and /etc/resolv.conf. They are read anew for every
/// connection: there are few, and what was right when the pod started need not stay so.
#[derive(Clone, Copy)]
struct Names;

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = NetError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NetError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move { addresses(name.as_str()).await.map(Vec::into_iter) })
    }
}

/// The port is the connector's to set.
async fn addresses(name: &str) -> Result<Vec<SocketAddr>, NetError> {
    let with_port = |address| SocketAddr::new(address, 0);
    // RFC 6761, 6.3: never asked for.
    if name.eq_ignore_ascii_case("localhost") {
        return Ok([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(with_port).into());
    }
    let mut builder = if Path::new("/etc/resolv.conf").exists() {
        TokioResolver::builder_tokio()?
    } else {
        // /etc/hosts still works.
        TokioResolver::builder_with_config(ResolverConfig::default(), Default::default())
    };
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    let found = builder.build()?.lookup_ip(name).await?;
    Ok(found.iter().map(with_port).collect())
}

#[cfg(test)]
mod tests;
