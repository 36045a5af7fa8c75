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
