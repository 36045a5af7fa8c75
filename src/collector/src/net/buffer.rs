//! The memory of one body while it grows, and afterwards. A large one is a mapping of its own: it
//! grows where it lies, so that it is never there twice while it moves, and goes back to the system
//! at once, where an allocator would keep it for a while. What is accounted for is what is there.

use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions};

/// Bytes from which on a body has a mapping of its own; what an SDK sends is smaller.
const LARGE: usize = 1024 * 1024;
/// Bytes of addresses that a mapping takes at first, if it may become as large. Memory is taken only
/// for what is written.
const AHEAD: usize = 64 * 1024 * 1024;

/// A body that grows.
#[derive(Debug)]
pub struct Buffer {
    memory: Memory,
    filled: usize,
    limit: usize,
}

#[derive(Debug)]
enum Memory {
    /// Of the allocator; its length is at least what is filled.
    Shared(Vec<u8>),
    /// Of its own.
    Mapped(MmapMut),
}

/// A mapping up to where it is filled.
struct Filled(MmapMut, usize);

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// Zeros; None where addresses are limited.
fn mapping(size: usize) -> Option<MmapMut> {
    MmapOptions::new().len(size).no_reserve_swap().map_anon().ok()
}

impl Buffer {
    /// An empty body that becomes at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { memory: Memory::Shared(Vec::new()), filled: 0, limit }
    }

    /// Bytes filled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing is filled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Makes room for so many bytes in all.
    pub fn reserve(&mut self, room: usize) {
        let capacity = match &self.memory {
            Memory::Shared(bytes) => bytes.capacity(),
            Memory::Mapped(bytes) => bytes.len(),
        };
        if room <= capacity {
            return;
        }
        let size = self.limit.min(AHEAD.max(room.saturating_mul(2))).max(room);
        let mapped = if room >= LARGE { mapping(size) } else { None };
        self.move_to(mapped, room);
    }

    /// Moves to a mapping or, without one, to where the allocator has that much room.
    fn move_to(&mut self, mapped: Option<MmapMut>, room: usize) {
        let filled = self.filled;
        match (mapped, &mut self.memory) {
            (Some(mut mapped), _) => {
                mapped[..filled].copy_from_slice(self.bytes());
                self.memory = Memory::Mapped(mapped);
            }
            (None, Memory::Shared(bytes)) => bytes.reserve_exact(room - bytes.len()),
            (None, Memory::Mapped(mapped)) => {
                let mut bytes = Vec::with_capacity(room);
                bytes.extend_from_slice(&mapped[..filled]);
                self.memory = Memory::Shared(bytes);
            }
        }
    }

    /// Zeros or leavings behind what is filled, to be written to: `length` bytes, for which there is
    /// room.
    pub fn spare(&mut self, length: usize) -> &mut [u8] {
        let end = self.filled + length;
        match &mut self.memory {
            Memory::Shared(bytes) => {
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                &mut bytes[self.filled..end]
            }
            Memory::Mapped(bytes) => &mut bytes[self.filled..end],
        }
    }

    /// So many bytes of what was [`spare`](Self::spare) are filled now.
    pub fn advance(&mut self, length: usize) {
        self.filled += length;
    }

    /// Adds bytes, for which there is room.
    pub fn extend(&mut self, more: &[u8]) {
        match &mut self.memory {
            Memory::Shared(bytes) => {
                bytes.truncate(self.filled);
                bytes.extend_from_slice(more);
            }
            Memory::Mapped(bytes) => {
                bytes[self.filled..self.filled + more.len()].copy_from_slice(more);
            }
        }
        self.filled += more.len();
    }

    /// What is filled, and how many bytes of memory it takes: that, or up to a third more.
    #[must_use]
    pub fn freeze(self) -> (Bytes, usize) {
        match self.memory {
            Memory::Shared(mut bytes) => {
                bytes.truncate(self.filled);
                if bytes.len() < bytes.capacity() - bytes.capacity() / 4 {
                    bytes.shrink_to_fit();
                }
                let taken = bytes.capacity();
                (bytes.into(), taken)
            }
            Memory::Mapped(bytes) => (Bytes::from_owner(Filled(bytes, self.filled)), self.filled),
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Shared(bytes) => &bytes[..self.filled],
            Memory::Mapped(bytes) => &bytes[..self.filled],
        }
    }
}

#[cfg(test)]
mod tests;
