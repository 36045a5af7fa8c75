//! Compression of bodies, both ways, in steps: what comes in never becomes more than allowed, and
//! long work lets others run in between.

use std::io::{self, Read, Write};

use bytes::Bytes;
use obspipe_model::components::network::Compression;

use super::buffer::Buffer;

/// Bytes after which other tasks have their turn.
const STEP: usize = 256 * 1024;
/// Level of gzip: at 3 zlib-rs is twice as fast as at 6 and its output 5 % longer; at 2 it is faster
/// by another fifth and its output longer by another 2 %.
const GZIP_LEVEL: u32 = 3;
/// Largest window of a Zstandard frame that is read, as a power of two (8 MiB, the least that
/// RFC 8878 asks decoders to take).
const ZSTD_WINDOW: u32 = 23;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952), of one member or several.
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// Snappy: framed as otelcol's HTTP servers take it, or a bare block.
    Snappy,
    /// deflate in a zlib wrapper (RFC 1950): what HTTP calls "deflate" and otelcol also "zlib".
    Zlib,
    /// LZ4 frames.
    Lz4,
}

impl Encoding {
    /// By its name in headers; None where it is not known.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.trim() {
            "" | "identity" | "none" => Some(Self::Identity),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            "snappy" | "x-snappy-framed" => Some(Self::Snappy),
            "zlib" | "deflate" => Some(Self::Zlib),
            "lz4" => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Its name in headers; None where the body goes as it is.
    #[must_use]
    pub fn of(compression: Compression) -> Option<(Self, &'static str)> {
        match compression {
            Compression::None | Compression::Empty => None,
            Compression::Gzip => Some((Self::Gzip, "gzip")),
            Compression::Zstd => Some((Self::Zstd, "zstd")),
            Compression::Snappy => Some((Self::Snappy, "snappy")),
            Compression::Zlib => Some((Self::Zlib, "zlib")),
            Compression::Deflate => Some((Self::Zlib, "deflate")),
        }
    }
}

/// Why a body cannot be inflated.
#[derive(Debug, thiserror::Error)]
pub enum InflateError<E> {
    /// It becomes more than allowed.
    #[error("the request is larger than {0} bytes when inflated")]
    TooLarge(usize),
    /// It is not what its encoding says.
    #[error("the request cannot be inflated: {0}")]
    Corrupt(io::Error),
    /// There is no memory for it.
    #[error(transparent)]
    Room(E),
}

/// Inflates a body to at most `limit` bytes; `grow` is asked before memory is taken, in bytes more.
///
/// # Errors
/// See [`InflateError`]. After the first step that fails nothing more is inflated.
pub async fn inflate<E>(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
    mut grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, InflateError<E>> {
    let mut reader: Box<dyn Read + Send + '_> = match encoding {
        Encoding::Identity => Box::new(body),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(body)),
        Encoding::Zlib => Box::new(Zlib(flate2::bufread::ZlibDecoder::new(body))),
        Encoding::Lz4 => Box::new(Lz4(lz4_flex::frame::FrameDecoder::new(Rest(body, false)))),
        // Snappy's encoders write nothing where there is nothing.
        Encoding::Snappy if body.is_empty() => Box::new(body),
        Encoding::Snappy if body.starts_with(b"\xff\x06\x00\x00sNaPpY") => {
            Box::new(snap::read::FrameDecoder::new(body))
        }
        Encoding::Snappy => return snappy_block(body, limit, grow),
        Encoding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(body).map_err(InflateError::Corrupt)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(InflateError::Corrupt)?;
            Box::new(decoder)
        }
    };
    // Telemetry is compressed some six times; the first guess saves most of the growing.
    let mut room = first_guess(encoding, body).min(limit);
    // Zstandard keeps a window of what it wrote, besides.
    let beside = |room: usize| match encoding {
        Encoding::Zstd => room.min(1 << ZSTD_WINDOW),
        _ => 0,
    };
    grow(room + beside(room)).map_err(InflateError::Room)?;
    let mut out = Buffer::new(limit);
    out.reserve(room);
    let mut since = 0;
    loop {
        if out.len() == room {
            // Room is taken only for what is there.
            let mut more = [0];
            if reader.read(&mut more).map_err(InflateError::Corrupt)? == 0 {
                return Ok(out.freeze().0);
            }
            if room == limit {
                return Err(InflateError::TooLarge(limit));
            }
            let step = (room / 2).max(STEP).min(limit - room);
            grow(step + beside(room + step) - beside(room)).map_err(InflateError::Room)?;
            room += step;
            out.reserve(room);
            out.extend(&more);
            continue;
        }
        let step = STEP.min(room - out.len());
        let read = reader.read(out.spare(step)).map_err(InflateError::Corrupt)?;
        if read == 0 {
            return Ok(out.freeze().0);
        }
        out.advance(read);
        since += read;
        if since >= STEP {
            since = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Zlib, with nothing behind it.
struct Zlib<'a>(flate2::bufread::ZlibDecoder<&'a [u8]>);

impl Read for Zlib<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 if !out.is_empty() && !self.0.get_ref().is_empty() => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "there is more behind its end"))
            }
            read => Ok(read),
        }
    }
}

/// LZ4 frames, one after the other; the decoder alone takes one that is cut short for whole.
struct Lz4<'a>(lz4_flex::frame::FrameDecoder<Rest<'a>>);

/// What is left of a body, and whether more was asked for than there is.
struct Rest<'a>(&'a [u8], bool);

impl Read for Rest<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 |= self.0.is_empty() && !out.is_empty();
        self.0.read(out)
    }
}

impl Read for Lz4<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(out)?;
            let Rest(left, dry) = self.0.get_ref();
            match read {
                0 if *dry => return Err(io::ErrorKind::UnexpectedEof.into()),
                0 if !left.is_empty() && !out.is_empty() => {}
                read => return Ok(read),
            }
        }
    }
}

/// A gzip of one member says at its end how long it was; a lie costs no more than a guess.
fn first_guess(encoding: Encoding, body: &[u8]) -> usize {
    let guess = body.len().saturating_mul(8);
    match (encoding, body.last_chunk::<4>()) {
        (Encoding::Identity, _) => body.len(),
        (Encoding::Gzip, Some(size)) => {
            let said = u32::from_le_bytes(*size) as usize;
            if said > body.len() / 2 && said < body.len().saturating_mul(32) { said } else { guess }
        }
        _ => guess,
    }
    .max(64)
}

fn snappy_block<E>(
    body: &[u8],
    limit: usize,
    mut grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, InflateError<E>> {
    let corrupt = |error: snap::Error| InflateError::Corrupt(error.into());
    let length = snap::raw::decompress_len(body).map_err(corrupt)?;
    if length > limit {
        return Err(InflateError::TooLarge(limit));
    }
    grow(length).map_err(InflateError::Room)?;
    let mut out = Buffer::new(length);
    out.reserve(length);
    let filled = snap::raw::Decoder::new().decompress(body, out.spare(length)).map_err(corrupt)?;
    out.advance(filled);
    Ok(out.freeze().0)
}

/// Compresses pieces as one body.
///
/// # Errors
/// The library failed; it has no reason to.
pub async fn deflate(encoding: Encoding, pieces: &[Bytes]) -> io::Result<Vec<u8>> {
    let level = flate2::Compression::new(GZIP_LEVEL);
    let total: usize = pieces.iter().map(Bytes::len).sum();
    let out = Vec::with_capacity(total / 4 + 64);
    match encoding {
        Encoding::Identity => Ok(pieces.concat()),
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            feed(&mut encoder, pieces).await?;
            encoder.finish()
        }
        Encoding::Zlib => {
            let mut encoder = flate2::write::ZlibEncoder::new(out, level);
            feed(&mut encoder, pieces).await?;
            encoder.finish()
        }
        Encoding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(out, 0)?;
            feed(&mut encoder, pieces).await?;
            encoder.finish()
        }
        Encoding::Snappy => {
            let mut encoder = snap::write::FrameEncoder::new(out);
            feed(&mut encoder, pieces).await?;
            encoder.into_inner().map_err(|error| io::Error::other(error.to_string()))
        }
        Encoding::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
            feed(&mut encoder, pieces).await?;
            encoder.finish().map_err(io::Error::other)
        }
    }
}

async fn feed(encoder: &mut impl Write, pieces: &[Bytes]) -> io::Result<()> {
    let mut since = 0;
    for step in pieces.iter().flat_map(|piece| piece.chunks(STEP)) {
        encoder.write_all(step)?;
        since += step.len();
        if since >= STEP {
            since = 0;
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
