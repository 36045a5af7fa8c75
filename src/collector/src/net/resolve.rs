//! Names to addresses without the C library: /etc/hosts, /etc/resolv.conf with its search domains
//! and ndots, over UDP and TCP. Answers are kept for their time to live, at least a second.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;

/// How long an answer is used at least: a name with a time to live of 0 is not asked for at every
/// connection.
const MIN_TTL: Duration = Duration::from_secs(1);
/// How long an answer is used at most: an address that went away is noticed.
const MAX_TTL: Duration = Duration::from_secs(30);

/// Finds addresses of names.
#[derive(Clone)]
pub struct Resolver(TokioResolver);

/// A name that leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The name could not be asked for, or is not known.
    #[error("cannot resolve {name}: {source}")]
    Lookup {
        /// The name.
        name: String,
        /// What went wrong.
        source: Box<hickory_resolver::net::NetError>,
    },
    /// The name is known and has no address.
    #[error("{0} has no address")]
    NoAddress(String),
    /// The system's configuration cannot be used.
    #[error("/etc/resolv.conf cannot be used: {0}")]
    System(Box<hickory_resolver::net::NetError>),
}

impl Resolver {
    /// A resolver by the system's configuration.
    ///
    /// # Errors
    /// /etc/resolv.conf is there and cannot be read or understood.
    pub fn system() -> Result<Self, ResolveError> {
        let system = |error| ResolveError::System(Box::new(error));
        let mut builder = if std::path::Path::new("/etc/resolv.conf").exists() {
            TokioResolver::builder_tokio().map_err(system)?
        } else {
            // Without one: /etc/hosts and addresses still work.
            let config = hickory_resolver::config::ResolverConfig::default();
            TokioResolver::builder_with_config(config, Default::default())
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.positive_min_ttl = Some(MIN_TTL);
        options.positive_max_ttl = Some(MAX_TTL);
        options.negative_max_ttl = Some(MIN_TTL);
        builder.build().map(Self).map_err(system)
    }

    /// All addresses of a name, those of IPv4 first.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        // RFC 6761, 6.3: never asked for.
        if name.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let lookup = self.0.lookup_ip(name).await.map_err(|source| ResolveError::Lookup {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        let mut found: Vec<IpAddr> = lookup.iter().collect();
        found.sort_by_key(IpAddr::is_ipv6);
        found.dedup();
        if found.is_empty() { Err(ResolveError::NoAddress(name.to_owned())) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests;
