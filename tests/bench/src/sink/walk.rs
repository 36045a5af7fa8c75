//! Counts items in encoded protobuf by their path of field numbers, without decoding: what is
//! not on the path is stepped over (protobuf encoding specification, "Message Structure").

use anyhow::{Context as _, Result, bail};

use crate::wire::Signal;

/// A step: one of these field numbers.
type Step = &'static [u32];
/// Steps from a request to its items.
pub type Path = &'static [Step];

const SPANS: Path = &[&[1], &[2], &[2]];
const LOG_RECORDS: Path = &[&[1], &[2], &[2]];
/// resource_metrics, scope_metrics, metrics, the five kinds, data_points.
const DATA_POINTS: Path = &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]];
/// PostSpansRequest.batch.spans of jaeger.api_v2.
pub const JAEGER_SPANS: Path = &[&[1], &[1]];
/// PushRequest.streams.entries of Loki's logproto.
pub const LOKI_ENTRIES: Path = &[&[1], &[2]];

/// The path of OTLP's items of one signal.
#[must_use]
pub fn otlp(signal: Signal) -> Path {
    match signal {
        Signal::Traces => SPANS,
        Signal::Metrics => DATA_POINTS,
        Signal::Logs => LOG_RECORDS,
    }
}

/// How many items `path` finds in `message`.
///
/// # Errors
/// The bytes end too early or are not protobuf.
pub fn count(message: &[u8], path: &[Step]) -> Result<u64> {
    let Some((step, rest)) = path.split_first() else { return Ok(1) };
    let mut left = message;
    let mut items = 0;
    while !left.is_empty() {
        let tag = varint(&mut left)?;
        let field = u32::try_from(tag >> 3).context("field number")?;
        match tag & 7 {
            0 => drop(varint(&mut left)?),
            1 => drop(take(&mut left, 8)?),
            5 => drop(take(&mut left, 4)?),
            2 => {
                let length = usize::try_from(varint(&mut left)?)?;
                let inner = take(&mut left, length)?;
                if step.contains(&field) {
                    items += count(inner, rest)?;
                }
            }
            wire => bail!("wire type {wire}"),
        }
    }
    Ok(items)
}

fn take<'a>(left: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (head, tail) = left.split_at_checked(length).context("the message ends too early")?;
    *left = tail;
    Ok(head)
}

fn varint(left: &mut &[u8]) -> Result<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = left.split_first().context("the message ends too early")?;
        *left = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    bail!("a varint of more than ten bytes")
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::payload;

    const NOW: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn otlp_items_are_counted() {
        let spans = &payload::traces(NOW)[0];
        assert_eq!(count(&spans.bytes, otlp(Signal::Traces)).unwrap(), spans.items);
        let records = &payload::logs(NOW)[0];
        assert_eq!(count(&records.bytes, otlp(Signal::Logs)).unwrap(), records.items);
        // Counters and gauges, and a last request that is not full.
        let points = payload::metrics(1_250, NOW);
        let total: u64 =
            points.iter().map(|p| count(&p.bytes, otlp(Signal::Metrics)).unwrap()).sum();
        assert_eq!(total, 1_250);
    }

    /// jaeger.api_v2's and logproto's shapes, as far as they are counted.
    #[derive(Clone, prost::Message)]
    struct Outer {
        #[prost(message, repeated, tag = "1")]
        batch: Vec<Inner>,
        #[prost(string, tag = "3")]
        hash: String,
    }

    #[derive(Clone, prost::Message)]
    struct Inner {
        #[prost(string, repeated, tag = "1")]
        spans: Vec<String>,
        #[prost(bytes, repeated, tag = "2")]
        entries: Vec<Vec<u8>>,
        #[prost(fixed64, tag = "4")]
        hash: u64,
        #[prost(fixed32, tag = "5")]
        flags: u32,
        #[prost(int64, tag = "6")]
        negative: i64,
    }

    #[test]
    fn other_protocols_are_counted_and_other_fields_stepped_over() {
        let inner = |spans: usize, entries: usize| Inner {
            spans: vec!["s".into(); spans],
            entries: vec![vec![0xff; 300]; entries],
            hash: 7,
            flags: 9,
            negative: -1,
        };
        let outer = Outer { batch: vec![inner(2, 5), inner(3, 1)], hash: "x".into() };
        let bytes = outer.encode_to_vec();
        assert_eq!(count(&bytes, JAEGER_SPANS).unwrap(), 5);
        assert_eq!(count(&bytes, LOKI_ENTRIES).unwrap(), 6);
        assert_eq!(count(&[], LOKI_ENTRIES).unwrap(), 0);
    }

    #[test]
    fn cut_off_messages_are_errors() {
        let whole = &payload::logs(NOW)[0].bytes;
        for length in [1, 2, 3, 50, whole.len() - 1] {
            assert!(count(&whole[..length], otlp(Signal::Logs)).is_err(), "{length}");
        }
        assert!(count(&[0x0b], LOKI_ENTRIES).is_err(), "a group");
        assert!(count(&[0xff; 11], LOKI_ENTRIES).is_err(), "an endless varint");
    }
}
