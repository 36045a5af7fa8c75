use super::*;

#[tokio::test]
async fn localhost_is_both_families_and_opened_once() {
    let listeners = Listeners::default();
    let address = ListenAddress::new("localhost", 0);
    let first = listeners.open(&address).unwrap();
    assert!(first.sockets[0].local_addr().unwrap().ip() == IpAddr::from(Ipv4Addr::LOCALHOST));
    let again = listeners.open(&address).unwrap();
    assert!(Arc::ptr_eq(&first.sockets[0], &again.sockets[0]));
    listeners.keep(&[]);
    let fresh = listeners.open(&address).unwrap();
    assert!(!Arc::ptr_eq(&first.sockets[0], &fresh.sockets[0]));
}

#[tokio::test]
async fn an_address_in_use_is_told() {
    let listeners = Listeners::default();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = listeners.open(&ListenAddress::new("127.0.0.1", port)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{error}");
    let error = listeners.open(&ListenAddress::new("example.com", 1)).unwrap_err().to_string();
    assert!(error.contains("a name may be another machine's"), "{error}");
}

#[tokio::test]
async fn no_host_is_every_address() {
    use tokio::net::TcpStream;
    let listening = Listeners::default().open(&ListenAddress::new("", 0)).unwrap();
    let port = listening.address().unwrap().port();
    assert_eq!(listening.sockets.len(), 1);
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    if has_ipv6() {
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
    }
}

/// A component that is replaced finds what waits in its socket.
#[tokio::test]
async fn what_waits_is_found_by_whoever_opens_it_next() {
    let (listeners, at) = (Listeners::default(), ListenAddress::new("127.0.0.1", 0));
    let first = listeners.open(&at).unwrap();
    let waiting = tokio::net::TcpStream::connect(first.address().unwrap()).await.unwrap();
    drop(first);
    listeners.keep(std::slice::from_ref(&at));
    let second = listeners.open(&at).unwrap();
    let (_, from) = second.sockets[0].accept().await.unwrap();
    assert_eq!(from, waiting.local_addr().unwrap());
    // Nobody keeps it: it is closed when the last one lets go.
    listeners.keep(&[]);
    let address = second.address().unwrap();
    drop(second);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
