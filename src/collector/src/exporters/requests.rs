//! How chunks become requests: as many as fit, none larger than allowed; and halves of a request
//! that was refused, between clients' chunks first.

use obspipe_model::Signal;

use crate::flow::chunk::{Chunk, Load};
use crate::flow::send::{Request, Source};

/// The chunks of a load, in requests of at most so many bytes.
#[must_use]
pub fn group(signal: Signal, load: Load, max_bytes: usize) -> Vec<Vec<Chunk>> {
    let mut groups: Vec<Vec<Chunk>> = Vec::new();
    let mut room = 0;
    for chunk in load.chunks.into_iter().flat_map(|chunk| chunk.cut(signal, max_bytes)) {
        match groups.last_mut() {
            Some(group) if chunk.bytes.len() <= room => {
                room -= chunk.bytes.len();
                group.push(chunk);
            }
            _ => {
                room = max_bytes.saturating_sub(chunk.bytes.len());
                groups.push(vec![chunk]);
            }
        }
    }
    groups
}

/// The chunks of a request in two halves; None where it is one item.
#[must_use]
pub fn halve(request: &Request) -> Option<(Vec<Chunk>, Vec<Chunk>)> {
    let Source::Chunks(chunks) = &request.source else {
        return None;
    };
    match chunks.as_slice() {
        [] => None,
        [one] if one.items < 2 => None,
        [one] => {
            let (first, second) = one.clone().take(request.signal, one.items / 2);
            second.map(|second| (vec![first], vec![second]))
        }
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            Some((first.to_vec(), second.to_vec()))
        }
    }
}

#[cfg(test)]
mod tests;
