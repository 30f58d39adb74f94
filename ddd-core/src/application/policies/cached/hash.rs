use std::hash::{BuildHasher, Hasher};

use foldhash::quality::{FoldHasher, RandomState};

/// Hashes keys, in another way in each cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Hashes(RandomState);

/// As its own hasher does, and with the length of each text: without it, `("a", "")` and `("", "a")` have one hash.
pub(super) struct Lengthwise<'a>(FoldHasher<'a>);

impl Hashes {
    #[inline]
    pub(super) fn hash(&self, key: &impl std::hash::Hash) -> u64 {
        let mut hasher = Lengthwise(self.0.build_hasher());
        key.hash(&mut hasher);
        hasher.finish()
    }
}

impl Hasher for Lengthwise<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.0.write_usize(bytes.len());
    }

    #[inline]
    fn write_u8(&mut self, it: u8) {
        self.0.write_u8(it);
    }

    #[inline]
    fn write_u16(&mut self, it: u16) {
        self.0.write_u16(it);
    }

    #[inline]
    fn write_u32(&mut self, it: u32) {
        self.0.write_u32(it);
    }

    #[inline]
    fn write_u64(&mut self, it: u64) {
        self.0.write_u64(it);
    }

    #[inline]
    fn write_u128(&mut self, it: u128) {
        self.0.write_u128(it);
    }

    #[inline]
    fn write_usize(&mut self, it: usize) {
        self.0.write_usize(it);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// For maps whose keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unhashed;

/// The hash is what was written.
#[derive(Debug, Default)]
pub(super) struct Same(u64);

impl BuildHasher for Unhashed {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same(0)
    }
}

impl Hasher for Same {
    fn write(&mut self, bytes: &[u8]) {
        // Only whole numbers are keys.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
