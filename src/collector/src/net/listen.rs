//! The listening sockets of the process, kept by protocol and address and not by component: a
//! component that is replaced finds its socket open, and what waits in it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use obspipe_model::settings::ListenAddress;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address as configured.
    pub address: String,
    /// Why.
    pub source: io::Error,
}

/// The sockets of one address: `localhost` has two.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The sockets.
    pub sockets: Vec<Arc<TcpListener>>,
}

impl Listening {
    /// The first socket's address.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.sockets.first().and_then(|socket| socket.local_addr().ok())
    }
}

/// All listening sockets.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<HashMap<String, Listening>>);

impl Listeners {
    /// The sockets of an address, opened if they are not.
    ///
    /// # Errors
    /// They cannot be opened.
    pub fn open(&self, address: &ListenAddress) -> Result<Listening, BindError> {
        let key = address.to_string();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listening) = open.get(&key) {
            return Ok(listening.clone());
        }
        let failed = |source| BindError { address: key.clone(), source };
        let mut sockets = Vec::new();
        for (index, at) in addresses(address).map_err(failed)?.into_iter().enumerate() {
            match bind(at) {
                Ok(socket) => sockets.push(Arc::new(socket)),
                // IPv6 may be switched off; IPv4 is enough then.
                Err(error) if index > 0 && is_no_address(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let listening = Listening { sockets };
        open.insert(key, listening.clone());
        Ok(listening)
    }

    /// Closes what is not among these addresses.
    pub fn keep(&self, addresses: &[ListenAddress]) {
        let keep: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|address, _| keep.contains(address));
    }
}

fn is_no_address(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(97)
}

/// Where to bind: an empty host is every address, IPv6's where there is IPv6 (it takes IPv4 too).
fn addresses(address: &ListenAddress) -> io::Result<Vec<SocketAddr>> {
    let at = |ip: IpAddr| SocketAddr::new(ip, address.port);
    match address.host.as_str() {
        "" if has_ipv6() => Ok(vec![at(Ipv6Addr::UNSPECIFIED.into())]),
        "" => Ok(vec![at(Ipv4Addr::UNSPECIFIED.into())]),
        "localhost" => Ok(vec![at(Ipv4Addr::LOCALHOST.into()), at(Ipv6Addr::LOCALHOST.into())]),
        host => match host.parse() {
            Ok(ip) => Ok(vec![at(ip)]),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "listen on an address or on localhost: a name may be another machine's",
            )),
        },
    }
}

fn has_ipv6() -> bool {
    std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests;
