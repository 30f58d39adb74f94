use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::Fingerprint;

/// A value of a cache as processes hand it to each other: JSON that says what it is, and the value in it.
///
/// Whoever reads it takes only what it understands: another format, or the value of another type or key, is as good as none.
///
/// ```
/// use ddd_core::domain::{CacheEnvelope, Fingerprint};
/// use serde_json::value::to_raw_value;
///
/// let of = Fingerprint::of([b"String".as_slice(), b"7"]);
/// let bytes = CacheEnvelope::new(of, Some(to_raw_value("seven")?)).to_bytes()?;
/// let read = CacheEnvelope::read(&bytes, of).unwrap();
/// assert_eq!(read.value.unwrap().get(), "\"seven\"");
/// assert!(CacheEnvelope::read(&bytes, Fingerprint::of([b"u64".as_slice(), b"7"])).is_none());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheEnvelope {
    /// Which type of values, and which key.
    pub fingerprint: Fingerprint,
    /// The value as JSON; `None` is the answer that there is none.
    pub value: Option<Box<RawValue>>,
}

/// As it is written. A new format has a new number, and may have other fields.
#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    fingerprint: String,
    negative: bool,
    value: Box<RawValue>,
}

impl CacheEnvelope {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// Around this value; `None` is the answer that there is none.
    #[must_use]
    pub const fn new(fingerprint: Fingerprint, value: Option<Box<RawValue>>) -> Self {
        Self { fingerprint, value }
    }

    /// As bytes.
    ///
    /// # Errors
    /// It cannot be written; what was read as JSON always can.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let written = Written {
            format: Self::FORMAT,
            fingerprint: self.fingerprint.to_string(),
            negative: self.value.is_none(),
            value: self.value.clone().unwrap_or_else(|| RawValue::NULL.to_owned()),
        };
        serde_json::to_vec(&written)
    }

    /// What the bytes say, if they are of this format and of that type and key.
    #[must_use]
    pub fn read(bytes: &[u8], fingerprint: Fingerprint) -> Option<Self> {
        let read: Written = serde_json::from_slice(bytes).ok()?;
        let is_meant = read.format == Self::FORMAT && read.fingerprint == fingerprint.to_string();
        is_meant.then(|| Self::new(fingerprint, (!read.negative).then_some(read.value)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panics")]
mod tests {
    use super::*;

    fn of(text: &str) -> Fingerprint {
        Fingerprint::of([text.as_bytes()])
    }

    #[test]
    fn the_answer_that_there_is_none_differs_from_a_value_that_is_null() {
        let none = CacheEnvelope::new(of("a"), None).to_bytes().unwrap();
        assert!(CacheEnvelope::read(&none, of("a")).unwrap().value.is_none());
        let null = CacheEnvelope::new(of("a"), Some(RawValue::NULL.to_owned())).to_bytes().unwrap();
        assert_eq!(CacheEnvelope::read(&null, of("a")).unwrap().value.unwrap().get(), "null");
    }

    #[test]
    fn what_is_not_understood_is_as_good_as_none() {
        let good = CacheEnvelope::new(of("a"), None).to_bytes().unwrap();
        assert!(CacheEnvelope::read(&good, of("b")).is_none(), "of another type or key");
        let later = String::from_utf8(good.clone()).unwrap().replace("\"format\":1", "\"format\":2");
        assert!(CacheEnvelope::read(later.as_bytes(), of("a")).is_none(), "of another format");
        for cut in 0..good.len() {
            assert!(CacheEnvelope::read(&good[..cut], of("a")).is_none(), "cut at {cut}");
        }
    }

    /// Processes of several versions read it: it may not change without another number.
    #[test]
    fn the_format_stays_what_it_is() {
        let bytes = CacheEnvelope::new(Fingerprint::from_bits(7), Some(RawValue::TRUE.to_owned())).to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let fingerprint = "00000000000000000000000000000007";
        assert_eq!(text, format!(r#"{{"format":1,"fingerprint":"{fingerprint}","negative":false,"value":true}}"#));
    }
}
