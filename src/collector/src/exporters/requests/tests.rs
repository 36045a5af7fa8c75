use super::*;
use crate::testing::{names, numbered, spans};

fn request(chunks: Vec<Chunk>) -> Request {
    let items = chunks.iter().map(|chunk| chunk.items).sum();
    Request { signal: Signal::Traces, body: Vec::new(), items, source: Source::Chunks(chunks) }
}

fn all(chunks: &[Chunk]) -> Vec<String> {
    chunks.iter().flat_map(|chunk| names(Signal::Traces, &chunk.bytes)).collect()
}

#[test]
fn as_many_chunks_as_fit_make_a_request() {
    let chunks: Vec<Chunk> = (0..7).map(|n| spans(&format!("{n}"), 10)).collect();
    let one = chunks[0].bytes.len();
    let load = Load { chunks: chunks.clone() };
    let grouped = |max| requests(&load, max);
    assert_eq!(grouped(3 * one), [3, 3, 1]);
    assert_eq!(grouped(3 * one - 1), [2, 2, 2, 1]);
    assert_eq!(grouped(7 * one), [7]);
    let groups = group(Signal::Traces, load, 3 * one);
    assert_eq!(all(&groups.concat()), all(&chunks), "in order, and all of them");
}

fn requests(load: &Load, max: usize) -> Vec<usize> {
    group(Signal::Traces, load.clone(), max).iter().map(Vec::len).collect()
}

#[test]
fn a_chunk_that_is_too_large_is_cut_and_its_parts_share_requests() {
    let load = Load { chunks: vec![spans("a", 100), spans("b", 1)] };
    let max = load.chunks[0].bytes.len() / 3;
    let groups = group(Signal::Traces, load.clone(), max);
    assert!(groups.len() >= 4 && groups.len() <= 5, "{}", groups.len());
    for group in &groups {
        assert!(group.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() <= max);
    }
    assert_eq!(all(&groups.concat()), all(&load.chunks));
}

#[test]
fn an_item_larger_than_allowed_is_alone_and_not_lost() {
    let load = Load { chunks: vec![spans("a", 1), spans("b", 1)] };
    assert_eq!(requests(&load, 1), [1, 1]);
    assert_eq!(requests(&Load::default(), 1), [0usize; 0]);
}

#[test]
fn halves_are_between_clients_first_and_within_one_then() {
    let chunks = vec![spans("a", 9), spans("b", 1), spans("c", 1)];
    let (first, second) = halve(&request(chunks)).unwrap();
    assert_eq!((all(&first), all(&second).len()), (numbered("a", 9), 2));
    let (first, second) = halve(&request(first)).unwrap();
    assert_eq!((first[0].items, second[0].items), (4, 5));
    assert_eq!([all(&first), all(&second)].concat(), numbered("a", 9));
    assert!(halve(&request(vec![spans("a", 1)])).is_none());
    assert!(halve(&request(Vec::new())).is_none());
    let holds = std::sync::Arc::default();
    let source =
        Source::Translated { bytes: bytes::Bytes::new(), joints: Vec::new(), tenant: None, holds };
    assert!(halve(&Request { source, ..request(Vec::new()) }).is_none());
}
