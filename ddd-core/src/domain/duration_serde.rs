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

/// A duration of a configuration, which may be absent; a number alone is seconds.
#[cfg(feature = "config")]
pub(crate) mod configured {
    use serde::de::Visitor;

    use super::{Deserializer, Duration, Error, IntoDuration};

    pub(crate) use super::text_or_null::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_option(Configured)
    }

    struct Configured;

    impl<'de> Visitor<'de> for Configured {
        type Value = Option<Duration>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a duration such as `30s`, `5m` or `2h`")
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
            self.visit_str(&format!("{seconds}s"))
        }

        fn visit_f64<E: Error>(self, seconds: f64) -> Result<Self::Value, E> {
            Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| E::custom("the duration is out of range"))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let text = text.trim();
            match text.parse::<f64>() {
                Ok(seconds) if text.contains('.') => self.visit_f64(seconds),
                Ok(_) => format!("{text}s").into_duration().map(Some).map_err(E::custom),
                Err(_) => text.into_duration().map(Some).map_err(E::custom),
            }
        }
    }
}
