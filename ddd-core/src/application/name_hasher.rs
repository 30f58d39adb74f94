use std::hash::Hasher;

/// Hashes short names in a few nanoseconds, eight bytes at a time. Only for maps whose keys nobody else can choose.
#[derive(Debug)]
pub(crate) struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl NameHasher {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        match bytes.last_chunk() {
            _ if rest.is_empty() => {}
            // Some bytes twice is quicker than the rest one by one; the length tells which.
            Some(last) => {
                self.mix(bytes.len() as u64);
                self.mix(u64::from_le_bytes(*last));
            }
            None => self.mix(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
        }
    }

    /// What ends a text, so that two texts in a row are told from two others.
    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        // A product's high bits depend on all bits of its factors, its low ones do not; tables look at both.
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::Hash};

    use super::*;

    fn hash(name: &str) -> u64 {
        let mut hasher = NameHasher::default();
        name.hash(&mut hasher);
        hasher.finish()
    }

    /// Names of every length that differ in one byte, wherever it is; also in the bits that a table looks at.
    #[test]
    fn names_that_differ_hash_differently() {
        let (mut all, mut high, mut low, mut count) = (HashSet::new(), HashSet::new(), HashSet::new(), 0);
        for length in 1..40 {
            for place in 0..length {
                for letter in 'b'..='z' {
                    let mut name = "a".repeat(length);
                    name.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
                    let hash = hash(&name);
                    all.insert(hash);
                    high.insert(hash >> 57);
                    low.insert(hash & 0x3ff);
                    count += 1;
                }
            }
        }
        assert_eq!(all.len(), count);
        assert!(high.len() == 128 && low.len() > 1_000, "{} and {} values", high.len(), low.len());
    }
}
