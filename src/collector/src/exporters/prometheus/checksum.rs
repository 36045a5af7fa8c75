//! Keys of 128 bits for anything: two keyed SipHash-1-3 of 64 bits, so that no sender can make two
//! things have the same. Knows nothing of what is hashed.

use std::collections::hash_map::{DefaultHasher, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// A key.
pub(super) type Key = u128;

/// The state from which all keys of a store begin.
#[derive(Clone)]
pub(super) struct Checksum(DefaultHasher, DefaultHasher);

impl Checksum {
    /// With random keys.
    pub(super) fn new() -> Self {
        Self(RandomState::new().build_hasher(), RandomState::new().build_hasher())
    }

    /// Takes in bytes as they are.
    #[inline]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.1.write(bytes);
    }

    /// Takes in bytes and how many there are.
    #[inline]
    pub(super) fn text(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Takes in a number.
    #[inline]
    pub(super) fn number(&mut self, number: u64) {
        self.0.write_u64(number);
        self.1.write_u64(number);
    }

    /// Takes in a key.
    pub(super) fn key(&mut self, key: Key) {
        self.raw(&key.to_le_bytes());
    }

    /// The key.
    #[inline]
    pub(super) fn finish(&self) -> Key {
        u128::from(self.0.finish()) << 64 | u128::from(self.1.finish())
    }
}

/// A key is as good as its own hash.
#[derive(Default)]
pub(super) struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    #[allow(clippy::cast_possible_truncation)]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

/// Things by key.
pub(super) type ByKey<T> = std::collections::HashMap<Key, T, BuildHasherDefault<Low>>;
