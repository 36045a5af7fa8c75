//! Lingering, on a pipe and a clock that is not real.

use tokio::io::duplex;

use super::*;

/// A client that goes on sending finds what it was told, and then the end.
#[tokio::test(start_paused = true)]
async fn what_is_still_sent_is_forgotten() {
    let (mut client, server) = duplex(64);
    let (mut lent, mut returned) = lend(server);
    lent.write_all(b"too large").await.unwrap();
    assert!(returned.try_recv().is_err(), "it is still lent");
    drop(lent);
    let server = returned.await.unwrap();
    let sending = async {
        client.write_all(&[7; 10_000]).await.unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        drop(client);
        said
    };
    let (said, ()) = tokio::join!(sending, linger(server));
    assert_eq!(said, "too large");
}

/// Neither silence nor bytes without end keep a connection.
#[tokio::test(start_paused = true)]
async fn it_is_not_for_ever() {
    let start = tokio::time::Instant::now();
    let (client, server) = duplex(64);
    linger(server).await;
    assert!(start.elapsed() < LINGERING, "silence");
    drop(client);
    let (mut client, server) = duplex(64);
    let drip = async {
        while client.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SILENCE / 2).await;
        }
    };
    tokio::join!(drip, linger(server));
    assert!(start.elapsed() < LINGERING * 3, "a byte now and then");
    let (mut client, server) = duplex(1 << 16);
    let flood = async {
        let mut sent = 0;
        while client.write_all(&[0; 1 << 16]).await.is_ok() {
            sent += 1 << 16;
        }
        sent
    };
    let (sent, ()) = tokio::join!(flood, linger(server));
    assert!((MOST..MOST + (1 << 18)).contains(&sent), "{sent}");
}
