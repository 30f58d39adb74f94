//! A key under which a submission is done once.

use std::{fmt, time::Duration};

/// The submitter's own name for a submission. Told again under the same key, it makes no second task: the answer is that of
/// the first time, for as long as the key is kept, even if the task itself is no longer on record.
///
/// Unlike a unique key, which says that two *tasks* must not be there at once, it says that two *calls* are one: a caller that
/// does not know whether its submission arrived says it again.
///
/// ```
/// use std::time::Duration;
///
/// use ddd_core::IdempotencyKey;
///
/// let key = IdempotencyKey::new("order-4711").scope("shop").ttl(Duration::from_secs(3_600));
/// assert_eq!(key.check(), Ok(()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotencyKey {
    /// The key: 1 to [`IdempotencyKey::MAX_KEY`] bytes.
    pub key: String,
    /// Whose key it is: equal keys of different scopes have nothing to do with each other. Empty unless set; at most
    /// [`IdempotencyKey::MAX_SCOPE`] bytes.
    pub scope: String,
    /// What is submitted under it. The submission's definition and parameters unless set.
    pub fingerprint: Option<Fingerprint>,
    /// How long it is kept: 24 h unless set.
    pub ttl: Duration,
}

impl IdempotencyKey {
    /// The longest key, in bytes.
    pub const MAX_KEY: usize = 255;
    /// The longest scope, in bytes.
    pub const MAX_SCOPE: usize = 512;

    /// A key of the empty scope, kept for 24 hours.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3_600);
        Self { key: key.into(), scope: String::new(), fingerprint: None, ttl: DAY }
    }

    /// Within this scope, such as a caller's name.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// With this fingerprint: the same key with another one is refused.
    #[must_use]
    pub const fn fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = Some(fingerprint);
        self
    }

    /// Kept this long.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Whether it may be one.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.key.is_empty() {
            return Err("an idempotency key may not be empty");
        }
        if self.key.len() > Self::MAX_KEY {
            return Err("an idempotency key has at most 255 bytes");
        }
        if self.scope.len() > Self::MAX_SCOPE {
            return Err("the scope of an idempotency key has at most 512 bytes");
        }
        if self.key.contains(char::is_control) || self.scope.contains(char::is_control) {
            return Err("an idempotency key and its scope hold no control characters");
        }
        if self.ttl.is_zero() {
            return Err("an idempotency key is kept for some time; write at least 1ms");
        }
        Ok(())
    }
}

impl From<&str> for IdempotencyKey {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for IdempotencyKey {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

/// A short stand-in for what was submitted: equal contents have equal ones, in every process and version. It tells a
/// repetition from a mistake and protects against no attack: whoever makes two contents that share one harms only itself.
///
/// It is 128-bit FNV-1a; as text, 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// That of these parts. Where one ends and the next begins counts.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        let hash = parts.into_iter().fold(OFFSET, |hash, part| {
            let length = (part.len() as u64).to_le_bytes();
            length.iter().chain(part).fold(hash, Self::with)
        });
        Self(hash)
    }

    /// From its bits, as a store kept them.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    const fn with(hash: u128, byte: &u8) -> u128 {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        (hash ^ *byte as u128).wrapping_mul(PRIME)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panics")]
mod tests {
    use super::*;

    fn of(parts: &[&[u8]]) -> Fingerprint {
        Fingerprint::of(parts.iter().copied())
    }

    #[test]
    fn a_fingerprint_tells_contents_and_their_parts_apart() {
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
        assert_ne!(of(&[]), of(&[b""]));
    }

    /// Stores keep it: it may never change.
    #[test]
    fn a_fingerprint_stays_what_it_is() {
        let bits = of(&[b"echo", b"{}"]).bits();
        assert_eq!(Fingerprint::from_bits(bits).to_string(), "a98d2e09971dcf7be1b015dcc234f752");
    }

    #[test]
    fn what_cannot_be_a_key_says_why() {
        assert_eq!(IdempotencyKey::new("k".repeat(255)).check(), Ok(()));
        assert!(IdempotencyKey::new("").check().unwrap_err().contains("empty"));
        assert!(IdempotencyKey::new("k".repeat(256)).check().unwrap_err().contains("255"));
        assert!(IdempotencyKey::new("k").scope("s".repeat(513)).check().unwrap_err().contains("512"));
        assert!(IdempotencyKey::new("k\n").check().unwrap_err().contains("control"));
        assert!(IdempotencyKey::new("k").scope("\0").check().unwrap_err().contains("control"));
        assert!(IdempotencyKey::new("k").ttl(Duration::ZERO).check().unwrap_err().contains("1ms"));
    }
}
