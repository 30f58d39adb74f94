//! Durations in settings, as people write them: `"10m"`. For `#[serde(with = …)]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::duration::{IntoDuration, written};

/// A duration.
pub(crate) mod text {
    use super::{Deserialize, Deserializer, Duration, Error, IntoDuration, Serializer, written};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        String::deserialize(deserializer)?.into_duration().map_err(D::Error::custom)
    }
}

/// A duration that may be absent: `null`.
pub(crate) mod text_or_null {
    use super::{Deserialize, Deserializer, Duration, Error, IntoDuration, Serializer, written};

    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(it) => serializer.serialize_some(&written(*it)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|it| it.into_duration().map_err(D::Error::custom)).transpose()
    }
}

/// A duration that may be endless: `"forever"`.
pub(crate) mod text_or_forever {
    use super::{Deserialize, Deserializer, Duration, Error, IntoDuration, Serializer, written};

    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(it) => serializer.serialize_str(&written(*it)),
            None => serializer.serialize_str("forever"),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "forever" => Ok(None),
            text => text.into_duration().map(Some).map_err(D::Error::custom),
        }
    }
}
