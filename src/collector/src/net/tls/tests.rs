use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::testing::Authority;

/// A directory of PEM files, written by name.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; returns its path as settings have it.
    fn put(&self, name: &str, text: &str) -> Option<String> {
        fs::write(self.path(name), text).unwrap();
        Some(self.path(name).display().to_string())
    }

    fn server(&self, authority: &Authority, name: &str) -> ServerTls {
        let (certificate, key) = authority.sign(name);
        let cert_file = self.put("server.crt", &certificate);
        ServerTls { cert_file, key_file: self.put("server.key", &key), ..ServerTls::default() }
    }

    fn client(&self, authority: &Authority) -> ClientTls {
        ClientTls { ca_file: self.put("ca.crt", &authority.pem), ..ClientTls::default() }
    }
}

/// What came of a handshake: the protocol agreed on and the version, or why not. The server speaks
/// first, so that a refusal of the client's certificate is seen.
async fn meet(
    client: &ClientConfig,
    server: &Arc<ServerConfig>,
    name: &str,
) -> Result<(Option<Vec<u8>>, Option<rustls::ProtocolVersion>), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(server.clone());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        stream.write_all(b"hello").await?;
        stream.shutdown().await
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(client.clone()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector.connect(name, stream).await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    assert_eq!(said, "hello");
    served.await.unwrap()?;
    let (_, session) = stream.get_ref();
    Ok((session.alpn_protocol().map(<[u8]>::to_vec), session.protocol_version()))
}

#[tokio::test]
async fn a_ca_file_is_trusted_and_alone() {
    let (files, authority) = (Files::new(), Authority::new());
    let server = server(&files.server(&authority, "localhost"), &[b"h2", b"http/1.1"]).unwrap();
    let client = client(&files.client(&authority), &[b"h2"]).unwrap();
    let (protocol, version) = meet(&client, &server, "localhost").await.unwrap();
    assert_eq!(protocol.unwrap(), b"h2");
    assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_3));
    // Another name than the certificate's.
    let error = meet(&client, &server, "example.com").await.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
    // Another authority.
    let stranger = Files::new();
    let client = super::client(&stranger.client(&Authority::new()), &[b"h2"]).unwrap();
    let error = meet(&client, &server, "localhost").await.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    // Nobody's: the system does not know the test's authority.
    let client = super::client(&ClientTls::default(), &[b"h2"]).unwrap();
    assert!(meet(&client, &server, "localhost").await.is_err());
}

#[tokio::test]
async fn certificates_may_be_given_as_they_are_and_for_addresses() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("127.0.0.1");
    let server_tls = ServerTls {
        cert_pem: Some(Secret(certificate)),
        key_pem: Some(Secret(key)),
        ..ServerTls::default()
    };
    let client_tls =
        ClientTls { ca_pem: Some(Secret(authority.pem.clone())), ..ClientTls::default() };
    let server = server(&server_tls, &[]).unwrap();
    let client = client(&client_tls, &[]).unwrap();
    meet(&client, &server, "127.0.0.1").await.unwrap();
    assert!(meet(&client, &server, "127.0.0.2").await.is_err());
}

#[tokio::test]
async fn insecure_skip_verify_believes_anyone() {
    let (files, authority) = (Files::new(), Authority::new());
    let tls = ClientTls { insecure_skip_verify: true, ..ClientTls::default() };
    let client = client(&tls, &[]).unwrap();
    for max_version in [None, Some(TlsVersion::V1_2)] {
        let tls = ServerTls { max_version, ..files.server(&authority, "other") };
        let server = server(&tls, &[]).unwrap();
        meet(&client, &server, "localhost").await.unwrap();
    }
}

#[tokio::test]
async fn versions_are_as_configured() {
    let (files, authority) = (Files::new(), Authority::new());
    let only = |min_version, max_version| {
        let tls = ServerTls { min_version, max_version, ..files.server(&authority, "localhost") };
        server(&tls, &[]).unwrap()
    };
    let client_of = |min_version, max_version| {
        let tls = ClientTls { min_version, max_version, ..files.client(&authority) };
        client(&tls, &[]).unwrap()
    };
    let (old, new) = (TlsVersion::V1_2, TlsVersion::V1_3);
    let any = client_of(old, None);
    let (_, version) = meet(&any, &only(old, Some(old)), "localhost").await.unwrap();
    assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_2));
    let (_, version) = meet(&any, &only(new, None), "localhost").await.unwrap();
    assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_3));
    assert!(meet(&client_of(old, Some(old)), &only(new, None), "localhost").await.is_err());
    assert!(meet(&client_of(new, None), &only(old, Some(old)), "localhost").await.is_err());
}

#[tokio::test]
async fn mutual_tls_lets_in_who_has_a_certificate_of_the_authority() {
    let (files, authority) = (Files::new(), Authority::new());
    let tls = ServerTls {
        client_ca_file: files.put("clients.crt", &authority.pem),
        ..files.server(&authority, "localhost")
    };
    let server = server(&tls, &[]).unwrap();
    let with = |signer: &Authority| {
        let (certificate, key) = signer.sign("client");
        let cert_file = files.put("client.crt", &certificate);
        let key_file = files.put("client.key", &key);
        let tls = ClientTls { cert_file, key_file, ..files.client(&authority) };
        client(&tls, &[]).unwrap()
    };
    meet(&with(&authority), &server, "localhost").await.unwrap();
    assert!(meet(&with(&Authority::new()), &server, "localhost").await.is_err());
    let without = client(&files.client(&authority), &[]).unwrap();
    assert!(meet(&without, &server, "localhost").await.is_err());
}

#[test]
fn what_is_wrong_names_the_setting_and_shows_no_secret() {
    let (files, authority) = (Files::new(), Authority::new());
    let good = files.server(&authority, "localhost");
    let wrong = |tls: ServerTls| server(&tls, &[]).unwrap_err().to_string();
    let missing = Some("/nowhere/ca.crt".to_owned());
    let said = wrong(ServerTls { cert_file: missing.clone(), ..good.clone() });
    assert!(said.starts_with("cert_file: cannot read /nowhere/ca.crt: No such file"), "{said}");
    let said = wrong(ServerTls { cert_file: files.put("empty", "nothing"), ..good.clone() });
    assert_eq!(said, "cert_file: there is no certificate in it");
    let said = wrong(ServerTls { key_file: good.cert_file.clone(), ..good.clone() });
    assert!(said.starts_with("key_file: "), "{said}");
    let said = wrong(ServerTls { client_ca_file: missing.clone(), ..good.clone() });
    assert!(said.starts_with("client_ca_file: "), "{said}");
    // A key that is another certificate's.
    let other = files.put("other.key", &authority.sign("localhost").1);
    let said = wrong(ServerTls { key_file: other, ..good.clone() });
    assert!(said.contains("KeyMismatch"), "{said}");
    let secret = Some(Secret("hunter2".into()));
    let said = wrong(ServerTls { key_file: None, key_pem: secret, ..good });
    assert!(said.starts_with("key_file: ") && !said.contains("hunter2"), "{said}");

    let ca_file = missing;
    let said = client(&ClientTls { ca_file, ..ClientTls::default() }, &[]).unwrap_err();
    assert!(said.to_string().starts_with("ca_file: cannot read"), "{said}");
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_a_bad_one_keeps_what_there_was() {
    let (files, old, new) = (Files::new(), Authority::new(), Authority::new());
    let tls = files.server(&old, "localhost");
    let made = tls.clone();
    let reloading = Reloading::new(server_files(&tls), move || server(&made, &[])).unwrap();
    let trusts = |authority: &Authority| client(&files.client(authority), &[]).unwrap();
    let (old_client, new_client) = (trusts(&old), trusts(&new));
    meet(&old_client, &reloading.current(), "localhost").await.unwrap();

    let wait = || tokio::time::sleep(LOOK_AGAIN + Duration::from_millis(50));
    // The certificate is new and its key not yet: a moment of every renewal.
    let (certificate, key) = new.sign("localhost");
    files.put("server.crt", &certificate);
    wait().await;
    meet(&old_client, &reloading.current(), "localhost").await.unwrap();
    files.put("server.key", &key);
    wait().await;
    meet(&new_client, &reloading.current(), "localhost").await.unwrap();
    assert!(meet(&old_client, &reloading.current(), "localhost").await.is_err());

    fs::remove_file(files.path("server.key")).unwrap();
    wait().await;
    meet(&new_client, &reloading.current(), "localhost").await.unwrap();
}

#[test]
fn what_does_not_change_is_not_read_again() {
    let (files, authority) = (Files::new(), Authority::new());
    let tls = files.server(&authority, "localhost");
    let reloading = Reloading::new(server_files(&tls), move || server(&tls, &[])).unwrap();
    let first = reloading.current();
    std::thread::sleep(LOOK_AGAIN + Duration::from_millis(20));
    assert!(Arc::ptr_eq(&first, &reloading.current()));
}
