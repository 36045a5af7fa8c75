//! Bodies that become enormous: ten GiB of zeros, compressed in every way that does it, and encodings
//! within encodings.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;

use super::{INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, Victim, assert_refused, framed};
use crate::telemetry::spans;
use crate::web::Version;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const MIB: usize = 1 << 20;
/// Bytes that a bomb becomes.
const BLAST: usize = 10 << 30;
/// As many at once.
const SALVO: usize = 8;
/// After which who is told to come again in a second comes again.
const IMPATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

/// A stream of many members (RFC 1952), 10 MiB in all.
fn gzip_bomb() -> Bytes {
    const MEMBER: usize = 4 * MIB;
    let zeros = vec![0; MIB];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..MEMBER / MIB).for_each(|_| encoder.write_all(&zeros).expect("written"));
    encoder.finish().expect("a member").repeat(BLAST / MEMBER).into()
}

/// One frame (RFC 8878) of run-length blocks, 320 KiB in all.
fn zstd_bomb() -> Bytes {
    const BLOCK: usize = 128 * 1024;
    // Magic number; no content size, no checksum; a window of 1 MiB.
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 10 << 3];
    let blocks = BLAST / BLOCK;
    for number in 1..=blocks {
        let last = u32::from(number == blocks);
        let header = last | 1 << 1 | u32::try_from(BLOCK).expect("small") << 3;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.push(0);
    }
    out.into()
}

/// Frames that each say how much they become.
fn zstd_frames() -> Bytes {
    const FRAME: usize = 64 * MIB;
    let zeros = vec![0; MIB];
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.set_pledged_src_size(Some(FRAME as u64)).expect("a size");
    (0..FRAME / MIB).for_each(|_| encoder.write_all(&zeros).expect("written"));
    encoder.finish().expect("a frame").repeat(BLAST / FRAME).into()
}

/// A frame whose window is 2 GiB.
fn zstd_window() -> Bytes {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3];
    out.extend_from_slice(&[0x03, 0x00, 0x04, 0]);
    out.into()
}

/// A block that says it becomes 4 GiB - 1.
fn snappy_block() -> Bytes {
    Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x00])
}

async fn salvo_of_grpc(victim: &Victim, encoding: &'static str, bomb: &Bytes) {
    let body = Bytes::from(framed(1, bomb.len(), bomb));
    let shots = (0..SALVO).map(|_| {
        let body = body.clone();
        async move {
            let mut client = victim.grpc().await;
            loop {
                let status = client.send(body.clone(), &[("grpc-encoding", encoding)]).await;
                let status = status.expect("an answer");
                // With so many at once memory may be short for some: they may come again.
                match status.code {
                    14 => {
                        assert!(status.retry_info, "{status:?}");
                        tokio::time::sleep(IMPATIENCE).await;
                    }
                    _ => return assert_refused(&status, RESOURCE_EXHAUSTED, encoding),
                }
            }
        }
    });
    join_all(shots).await;
}

async fn salvo_of_http(victim: &Victim, version: Version, encoding: &'static str, bomb: &Bytes) {
    let headers = [PROTOBUF, ("content-encoding", encoding)];
    let shots = (0..SALVO).map(|_| async move {
        let mut web = victim.web(version);
        loop {
            let answer = web.post("/v1/traces", &headers, bomb.clone()).await;
            let answer = answer.expect("an answer");
            match answer.status.as_u16() {
                503 => {
                    assert!(answer.headers.contains_key("retry-after"));
                    tokio::time::sleep(IMPATIENCE).await;
                }
                status => return assert_eq!(status, 413, "{version:?} {encoding}: {answer:?}"),
            }
        }
    });
    join_all(shots).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_gib_of_zeros() {
    let victim = Arc::new(Victim::start().await);
    let bombs = [
        ("gzip", gzip_bomb()),
        ("zstd", zstd_bomb()),
        ("zstd", zstd_frames()),
        ("snappy", snappy_block()),
    ];
    for (encoding, bomb) in bombs {
        salvo_of_grpc(&victim, encoding, &bomb).await;
        for version in Version::ALL {
            salvo_of_http(&victim, version, encoding, &bomb).await;
        }
        victim.is_well().await;
    }
    Arc::into_inner(victim).expect("the last").was_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_that_are_not_what_they_say() {
    let victim = Victim::start().await;
    let message = spans("bomb", 0..3, 100);
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    };
    let (once, twice) = (gzip(&message), gzip(&gzip(&message)));
    let mut garbage = once.clone();
    garbage.extend_from_slice(b"garbage");
    let mut flipped = once.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let cut = once[..once.len() - 1].to_vec();
    // Refused with 400: inflated, or what came of it, is not what was said.
    let corrupt = [
        ("gzip", twice.clone()),
        ("gzip", garbage),
        ("gzip", flipped),
        ("gzip", cut),
        ("gzip", message.clone()),
        ("zstd", message.clone()),
        ("zstd", once.clone()),
        ("zstd", zstd_window().to_vec()),
        ("snappy", message.clone()),
    ];
    let mut grpc = victim.grpc().await;
    for (encoding, body) in &corrupt {
        let body = Bytes::from(framed(1, body.len(), body));
        let status = grpc.send(body, &[("grpc-encoding", encoding)]).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, encoding);
    }
    for encoding in ["gzip, gzip", "gzip,gzip", "br", "deflate", "GZIP"] {
        let body = Bytes::from(framed(1, twice.len(), &twice));
        let status = grpc.send(body, &[("grpc-encoding", encoding)]).await.expect("an answer");
        assert_refused(&status, UNIMPLEMENTED, encoding);
    }
    for version in Version::ALL {
        let mut web = victim.web(version);
        for (encoding, body) in &corrupt {
            let headers = [PROTOBUF, ("content-encoding", encoding)];
            let answer = web.post("/v1/traces", &headers, body.clone()).await.expect("an answer");
            assert_eq!(answer.status, 400, "{encoding}");
        }
        for names in [&["gzip, gzip"][..], &["gzip,zstd"], &["gzip", "gzip"], &["br"], &["x"]] {
            let mut headers = vec![PROTOBUF];
            headers.extend(names.iter().map(|name| ("content-encoding", *name)));
            let answer = web.post("/v1/traces", &headers, twice.clone()).await.expect("an answer");
            assert_eq!(answer.status, 415, "{names:?}");
        }
        // And what is as it says.
        let headers = [PROTOBUF, ("content-encoding", "gzip")];
        let answer = web.post("/v1/traces", &headers, once.clone()).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
    victim.was_well().await;
}
