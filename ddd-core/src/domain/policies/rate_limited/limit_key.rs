//! A short, secret name of a key: SipHash-1-3 with 128 bits (Aumasson and Bernstein, <https://www.aumasson.jp/siphash/>).

use std::hash::{Hash, Hasher};

/// What stands for a key in a rate limit: 128 bits that depend on all that the key hashes, and on a secret.
///
/// Two keys have the same one with a probability of 2⁻¹²⁸, and who does not know the secret cannot look for such keys. A table of
/// them is of the same size whatever the keys are, and calls none of their code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey(pub u128);

impl LimitKey {
    /// What stands for `key` under `secret`.
    #[must_use]
    pub fn of<K: Hash + ?Sized>(secret: (u64, u64), key: &K) -> Self {
        let mut hasher = Sip::<1, 3>::new(secret);
        key.hash(&mut hasher);
        hasher.key()
    }
}

/// SipHash with `C` rounds for each word and `D` at the end.
struct Sip<const C: usize, const D: usize> {
    v: [u64; 4],
    /// What does not fill a word yet, lowest byte first.
    tail: u64,
    /// How many bytes there were.
    length: u64,
}

impl<const C: usize, const D: usize> Sip<C, D> {
    const fn new((k0, k1): (u64, u64)) -> Self {
        let v = [
            k0 ^ 0x736f_6d65_7073_6575,
            // 0xee asks for the wide answer.
            k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, tail: 0, length: 0 }
    }

    #[inline]
    fn rounds<const N: usize>(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        for _ in 0..N {
            a = a.wrapping_add(b);
            c = c.wrapping_add(d);
            b = b.rotate_left(13) ^ a;
            d = d.rotate_left(16) ^ c;
            a = a.rotate_left(32);
            a = a.wrapping_add(d);
            c = c.wrapping_add(b);
            d = d.rotate_left(21) ^ a;
            b = b.rotate_left(17) ^ c;
            c = c.rotate_left(32);
        }
        self.v = [a, b, c, d];
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        self.rounds::<C>();
        self.v[0] ^= word;
    }

    /// Takes the lowest `bytes` bytes of `value`, 1 to 8; the others are zero.
    #[inline]
    fn short(&mut self, value: u64, bytes: u64) {
        let filled = self.length % 8;
        self.length = self.length.wrapping_add(bytes);
        self.tail |= value << (8 * filled);
        if filled + bytes >= 8 {
            self.word(self.tail);
            // What did not fit into the word; nothing if the word was empty before.
            self.tail = if filled == 0 { 0 } else { value >> (8 * (8 - filled)) };
        }
    }

    #[inline]
    fn key(mut self) -> LimitKey {
        self.word(self.tail | (self.length << 56));
        self.v[2] ^= 0xee;
        self.rounds::<D>();
        let low = self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3];
        self.v[1] ^= 0xdd;
        self.rounds::<D>();
        let high = self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3];
        LimitKey(u128::from(high) << 64 | u128::from(low))
    }
}

impl<const C: usize, const D: usize> Hasher for Sip<C, D> {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.short(u64::from_le_bytes(word), chunk.len() as u64);
        }
    }

    fn write_u8(&mut self, it: u8) {
        self.short(it.into(), 1);
    }

    fn write_u16(&mut self, it: u16) {
        self.short(it.into(), 2);
    }

    fn write_u32(&mut self, it: u32) {
        self.short(it.into(), 4);
    }

    fn write_u64(&mut self, it: u64) {
        self.short(it, 8);
    }

    fn write_usize(&mut self, it: usize) {
        // The same on every platform: processes that share a limit may differ in this.
        self.short(it as u64, 8);
    }

    /// The lower half.
    fn finish(&self) -> u64 {
        Self { v: self.v, tail: self.tail, length: self.length }.key().0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first vectors of the reference implementation for 128 bits, which are of SipHash-2-4.
    #[test]
    fn agrees_with_the_reference() {
        let secret = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let expected: [(u8, [u8; 16]); 2] = [
            (0, [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93]),
            (1, [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45]),
        ];
        for (length, bytes) in expected {
            let mut hasher = Sip::<2, 4>::new(secret);
            hasher.write(&(0..length).collect::<Vec<_>>());
            assert_eq!(hasher.key().0.to_le_bytes(), bytes, "of {length} bytes");
        }
    }

    #[test]
    fn pieces_make_no_difference() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..bytes.len() {
            let (mut whole, mut parts) = (Sip::<1, 3>::new((1, 2)), Sip::<1, 3>::new((1, 2)));
            whole.write(&bytes);
            parts.write(&bytes[..cut]);
            for it in &bytes[cut..] {
                parts.write_u8(*it);
            }
            assert_eq!(whole.key(), parts.key(), "cut at {cut}");
        }
    }

    #[test]
    fn keys_differ() {
        let secret = (3, 4);
        let mut seen: Vec<_> = (0..10_000_u64).map(|it| LimitKey::of(secret, &it)).collect();
        seen.extend((0..10_000_u32).map(|it| LimitKey::of(secret, &it.to_string())));
        seen.extend((0..100_u8).map(|it| LimitKey::of(secret, &(it, it))));
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_ne!(LimitKey::of(secret, &1), LimitKey::of((3, 5), &1), "the secret counts");
        assert_ne!(LimitKey::of(secret, &("ab", "c")), LimitKey::of(secret, &("a", "bc")));
    }
}
