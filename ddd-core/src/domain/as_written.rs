//! Durations and sizes as people write them in settings, for `#[serde(with = "…")]` in sections of a service's own.
//!
//! A duration is `250ms`, `30s`, `5m`, `2h` or `1d`, a number alone is seconds; a size is `64KiB` or `1MiB`, a number alone
//! is bytes.
//!
//! ```
//! use std::time::Duration;
//! use ddd_core::{Configuration, as_written};
//!
//! #[derive(serde::Deserialize, garde::Validate)]
//! #[serde(default, deny_unknown_fields)]
//! struct Uploads {
//!     #[serde(with = "as_written::duration")]
//!     #[garde(skip)]
//!     timeout: Duration,
//!     #[serde(with = "as_written::size")]
//!     #[garde(range(max = 1 << 30))]
//!     largest: usize,
//! }
//!
//! impl Default for Uploads {
//!     fn default() -> Self {
//!         Self { timeout: Duration::from_secs(30), largest: 1 << 20 }
//!     }
//! }
//!
//! let builder = Configuration::builder().section::<Uploads>("uploads").set("uploads.largest", "2MiB");
//! let uploads = builder.load()?.section::<Uploads>()?;
//! assert_eq!((uploads.timeout.as_secs(), uploads.largest), (30, 2_097_152));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// What a duration looks like in a JSON Schema: for `#[schemars(with = "…")]`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DurationSchema;

impl JsonSchema for DurationSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "pattern": "^[0-9.]+ *(ms|s|m|h|d)?$", "minimum": 0 })
    }
}

/// What a size looks like in a JSON Schema: for `#[schemars(with = "…")]`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SizeSchema;

impl JsonSchema for SizeSchema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[0-9]+ *([KMG]?i?B)?$", "minimum": 0 })
    }
}

/// A duration.
pub mod duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer, de::Error};

    use crate::domain::duration_serde::{configured, text};

    /// Writes it as `30s`.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        text::serialize(duration, serializer)
    }

    /// Reads `30s`, or a number of seconds.
    ///
    /// # Errors
    /// It is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        configured::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("a duration such as `30s` is missing"))
    }
}

/// A duration that may be left out, or be `null`. Such a field also needs `#[serde(default)]`.
pub mod optional_duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    use crate::domain::duration_serde::configured;

    /// Writes it as `30s`, or as `null`.
    ///
    /// # Errors
    /// Those of the format.
    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        configured::serialize(duration, serializer)
    }

    /// Reads `30s`, or a number of seconds.
    ///
    /// # Errors
    /// It is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        configured::deserialize(deserializer)
    }
}

/// A size in bytes.
pub mod size {
    use serde::{Deserializer, Serializer, de::Error};

    use crate::domain::size;

    /// Writes it as `64KiB`.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(bytes: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        size::serialize(&Some(*bytes), serializer)
    }

    /// Reads `64KiB`, or a number of bytes.
    ///
    /// # Errors
    /// It is no size.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        size::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("a size such as `64KiB` is missing"))
    }
}
