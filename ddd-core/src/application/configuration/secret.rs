use std::{cell::Cell, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use super::reader::SECRET;

thread_local! {
    /// How many secrets this thread has read.
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// What `read` says, and how many secrets were read meanwhile, whoever read them.
pub(super) fn counted<R>(read: impl FnOnce() -> R) -> (R, usize) {
    let before = READ.get();
    let read = read();
    (read, READ.get().wrapping_sub(before))
}

/// A text that is never shown: `Debug`, `Display` and JSON say `***`, and its memory is overwritten when it is dropped.
///
/// A setting of this type is hidden in [`Configuration::explain`](crate::Configuration::explain) as well.
///
/// ```
/// use ddd_core::Secret;
///
/// let key = Secret::new("hunter2");
/// assert_eq!(format!("{key} {key:?}"), "*** ***");
/// assert_eq!(key.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text. Give it to what needs it, and to nothing that writes it down.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.set(READ.get().wrapping_add(1));
        // By its name the configuration knows what to hide.
        deserializer.deserialize_newtype_struct(SECRET, Hidden)
    }
}

struct Hidden;

impl<'de> Visitor<'de> for Hidden {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }
}
