use std::convert::Infallible;
use std::sync::Arc;

use obspipe_model::Signal;
use proptest::prelude::*;

use super::*;
use crate::flow::account::{Account, Peer};

const ALL: [Encoding; 6] = [
    Encoding::Identity,
    Encoding::Gzip,
    Encoding::Zstd,
    Encoding::Snappy,
    Encoding::Zlib,
    Encoding::Lz4,
];
const PACKED: [Encoding; 5] =
    [Encoding::Gzip, Encoding::Zstd, Encoding::Snappy, Encoding::Zlib, Encoding::Lz4];

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn packed(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    run(deflate(encoding, &[Bytes::copy_from_slice(bytes)])).unwrap()
}

fn unpacked(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
) -> Result<Bytes, InflateError<Infallible>> {
    run(inflate(encoding, body, limit, |_| Ok(())))
}

/// Bytes that are neither all the same nor without pattern.
fn text(length: usize) -> Vec<u8> {
    let words: &[&[u8]] = &[b"span ", b"metric ", b"http.method", b"GET ", b"\x00\x01\xff"];
    let mut out = Vec::with_capacity(length + 16);
    let mut state = 1u32;
    while out.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.extend_from_slice(words[(state >> 24) as usize % words.len()]);
    }
    out.truncate(length);
    out
}

#[test]
fn every_encoding_there_and_back() {
    for encoding in ALL {
        for length in [0, 1, 63, 64, 65, 100_000, 3 * STEP, 3 * STEP + 1] {
            let bytes = text(length);
            let inflated = unpacked(encoding, &packed(encoding, &bytes), 1 << 22).unwrap();
            assert!(inflated == bytes, "{encoding:?} {length}");
        }
    }
}

#[test]
fn pieces_are_one_body() {
    let pieces = [Bytes::from_static(b"one "), Bytes::new(), Bytes::from(text(2 * STEP))];
    for encoding in ALL {
        let body = run(deflate(encoding, &pieces)).unwrap();
        assert_eq!(unpacked(encoding, &body, 1 << 22).unwrap(), pieces.concat());
    }
}

#[test]
fn the_limit_is_exact() {
    for encoding in ALL {
        for length in [1, 1000, STEP, STEP + 1, 700_000] {
            let bytes = text(length);
            let body = packed(encoding, &bytes);
            let taken = unpacked(encoding, &body, length).unwrap();
            assert_eq!(taken, bytes, "{encoding:?} {length}");
            let refused = unpacked(encoding, &body, length - 1).unwrap_err();
            assert!(matches!(refused, InflateError::TooLarge(limit) if limit == length - 1));
        }
    }
}

/// Zstandard keeps what it wrote last a second time: that has to be asked for too.
fn with_window(encoding: Encoding, room: usize) -> usize {
    if encoding == Encoding::Zstd { room + room.min(1 << ZSTD_WINDOW) } else { room }
}

/// A megabyte of nothing is a kilobyte: what a bomb is made of.
#[test]
fn a_bomb_stops_within_the_limit_and_its_permit() {
    let bomb = vec![0u8; 6 << 20];
    for encoding in PACKED {
        let body = packed(encoding, &bomb);
        let mut asked = 0;
        let limit = 1 << 20;
        let refused = run(inflate(encoding, &body, limit, |more| {
            asked += more;
            Ok::<_, Infallible>(())
        }));
        assert!(matches!(refused, Err(InflateError::TooLarge(_))), "{encoding:?}");
        assert!(asked <= with_window(encoding, limit), "{encoding:?} asked for {asked}");

        // Where there is less room than the limit allows, it stops at the room.
        let account = Account::new(400 << 10);
        let mut permit = account.permit(Signal::Traces, &Arc::new(Peer::default()));
        let refused = run(inflate(encoding, &body, 5 << 20, |more| permit.grow(more)));
        assert!(matches!(refused, Err(InflateError::Room(_))), "{encoding:?}");
        assert!(account.used() <= 400 << 10);
        drop(permit);
        assert_eq!(account.used(), 0);
    }
}

/// Room is asked for before it is taken, and not more than the result needs by half.
#[test]
fn room_is_asked_for_first_and_in_proportion() {
    for encoding in PACKED {
        for length in [10, 1000, 100_000, 2 << 20] {
            let body = packed(encoding, &text(length));
            let mut asked = 0;
            let inflated = run(inflate(encoding, &body, 64 << 20, |more| {
                asked += more;
                Ok::<_, Infallible>(())
            }));
            assert_eq!(inflated.unwrap().len(), length);
            let most = (body.len() * 8).max(length + length / 2 + STEP).max(64);
            let most = with_window(encoding, most);
            let least = with_window(encoding, length);
            assert!(asked >= least && asked <= most, "{encoding:?} {length}: {asked}");
        }
    }
    // A gzip says its length at its end: that much and no more.
    let length = 100_000;
    let body = packed(Encoding::Gzip, &text(length));
    let mut asked = 0;
    run(inflate(Encoding::Gzip, &body, 64 << 20, |more| {
        asked += more;
        Ok::<_, Infallible>(())
    }))
    .unwrap();
    assert_eq!(asked, length);
}

/// RFC 1952, 2.2: a file is a series of members.
#[test]
fn a_gzip_of_several_members_is_one_body() {
    let (first, second) = (text(5000), text(70_000));
    let body = [packed(Encoding::Gzip, &first), packed(Encoding::Gzip, &second)].concat();
    assert_eq!(unpacked(Encoding::Gzip, &body, 1 << 20).unwrap(), [first, second].concat());
}

#[test]
fn several_frames_are_one_body_as_well() {
    let (first, second) = (text(5000), text(7000));
    for encoding in [Encoding::Zstd, Encoding::Lz4, Encoding::Snappy] {
        let body = [packed(encoding, &first), packed(encoding, &second)].concat();
        let both = unpacked(encoding, &body, 1 << 20).unwrap();
        assert!(both == [&first[..], &second[..]].concat(), "{encoding:?}");
    }
}

#[test]
fn garbage_behind_is_refused() {
    for encoding in PACKED {
        for garbage in [&b"x"[..], b"garbage after the end", &[0u8; 20]] {
            let body = [&packed(encoding, &text(5000))[..], garbage].concat();
            let refused = unpacked(encoding, &body, 1 << 20);
            assert!(
                matches!(refused, Err(InflateError::Corrupt(_))),
                "{encoding:?} with {garbage:?}"
            );
        }
    }
}

#[test]
fn what_is_cut_short_is_refused() {
    for encoding in PACKED {
        let body = packed(encoding, &text(200_000));
        for length in [1, 5, body.len() / 2, body.len() - 1] {
            let refused = unpacked(encoding, &body[..length], 1 << 20);
            assert!(matches!(refused, Err(InflateError::Corrupt(_))), "{encoding:?} {length}");
        }
    }
}

#[test]
fn what_is_damaged_is_refused_where_the_encoding_has_a_checksum() {
    for encoding in [Encoding::Gzip, Encoding::Zlib, Encoding::Snappy] {
        let mut body = packed(encoding, &text(2000));
        let middle = body.len() - 5;
        body[middle] ^= 0x55;
        let refused = unpacked(encoding, &body, 1 << 20);
        assert!(matches!(refused, Err(InflateError::Corrupt(_))), "{encoding:?}");
    }
}

/// Go's and Python's clients send blocks, without frames.
#[test]
fn a_bare_snappy_block_is_taken() {
    let bytes = text(5000);
    let block = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
    assert_eq!(unpacked(Encoding::Snappy, &block, 5000).unwrap(), bytes);
    assert!(matches!(unpacked(Encoding::Snappy, &block, 4999), Err(InflateError::TooLarge(4999))));
    // Says 4 GiB and has ten bytes: refused unread.
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3, 4, 5];
    assert!(matches!(unpacked(Encoding::Snappy, &lie, 1 << 20), Err(InflateError::TooLarge(_))));
}

/// RFC 8878, 3.1.1.1.2: windows above 8 MiB need not be supported, and cost memory.
#[test]
fn a_zstd_window_above_8_mib_is_refused() {
    let frame = |log: u32| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&text(10_000)).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(unpacked(Encoding::Zstd, &frame(23), 1 << 20).unwrap(), text(10_000));
    assert!(matches!(unpacked(Encoding::Zstd, &frame(27), 1 << 20), Err(InflateError::Corrupt(_))));
}

#[test]
fn names_are_those_of_otelcol() {
    let named = |name| Encoding::named(name);
    assert_eq!(named(""), Some(Encoding::Identity));
    assert_eq!(named("identity"), Some(Encoding::Identity));
    assert_eq!(named(" gzip "), Some(Encoding::Gzip));
    assert_eq!((named("zlib"), named("deflate")), (Some(Encoding::Zlib), Some(Encoding::Zlib)));
    assert_eq!(named("x-snappy-framed"), Some(Encoding::Snappy));
    assert_eq!((named("br"), named("gzip, gzip"), named("GZIP")), (None, None, None));
    for (compression, name) in [
        (Compression::Gzip, "gzip"),
        (Compression::Zstd, "zstd"),
        (Compression::Snappy, "snappy"),
        (Compression::Zlib, "zlib"),
        (Compression::Deflate, "deflate"),
    ] {
        let (encoding, said) = Encoding::of(compression).unwrap();
        assert_eq!((said, Encoding::named(said)), (name, Some(encoding)));
    }
    assert!(Encoding::of(Compression::None).is_none());
}

/// Long work lets others run: between two steps another task has its turn.
#[tokio::test]
async fn long_work_lets_others_run() {
    let bytes = Bytes::from(text(16 * STEP));
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let other = tokio::spawn({
        let count = count.clone();
        async move {
            loop {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let body = deflate(Encoding::Gzip, &[bytes]).await.unwrap();
    let while_deflating = count.swap(0, std::sync::atomic::Ordering::Relaxed);
    inflate(Encoding::Gzip, &body, 64 << 20, |_| Ok::<_, Infallible>(())).await.unwrap();
    let while_inflating = count.load(std::sync::atomic::Ordering::Relaxed);
    other.abort();
    assert!(while_deflating >= 12, "{while_deflating}");
    assert!(while_inflating >= 12, "{while_inflating}");
}

proptest! {
    #[test]
    fn any_bytes_there_and_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000), which in 0usize..6,
    ) {
        let body = packed(ALL[which], &bytes);
        prop_assert_eq!(unpacked(ALL[which], &body, bytes.len()).unwrap(), bytes);
    }

    /// Whatever comes, it ends, within its limit and without a panic.
    #[test]
    fn hostile_bytes_end(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..6),
        which in 0usize..6,
        real in any::<bool>(),
    ) {
        if real {
            bytes = packed(ALL[which], &text(bytes.len() * 20));
        }
        for (at, with) in flips {
            let at = at % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= with;
            }
        }
        if let Ok(inflated) = unpacked(ALL[which], &bytes, 4096) {
            prop_assert!(inflated.len() <= 4096);
        }
    }
}
