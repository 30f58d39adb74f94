use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::{
    IntoDuration, Moment,
    duration::{LONGEST, written},
};

/// Which calls count when a circuit breaker looks at how many failed: a number (`100`) or a time (`"60s"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many calls, exactly.
    Calls(u32),
    /// The calls that ended in so long. Calls leave it in portions, a sixtieth of it at a time.
    Time(Duration),
}

impl Window {
    /// More calls than this are not remembered one by one.
    pub(super) const MOST_CALLS: u32 = 10_000;

    /// Into how many slices a time is divided.
    pub(super) const SLICES: u64 = 60;

    /// How long a slice is, in nanoseconds, if time matters.
    #[must_use]
    pub fn slice(self) -> Option<u64> {
        match self {
            Self::Calls(_) => None,
            Self::Time(time) => Some((Moment::default().after(time).as_nanos() / Self::SLICES).max(1)),
        }
    }

    pub(super) fn problem(self) -> Option<String> {
        match self {
            Self::Calls(0) => Some("`window` is 0; write of how many calls, or of how long: `100`, `60s`".to_owned()),
            Self::Calls(it) if it > Self::MOST_CALLS => {
                Some(format!("`window` is {it}; write at most {}, or a time such as `60s`", Self::MOST_CALLS))
            }
            Self::Time(Duration::ZERO) => Some("`window` is zero; write a longer time, such as `60s`".to_owned()),
            Self::Time(it) if it > LONGEST => Some("`window` is too long; write at most `36500d`".to_owned()),
            Self::Calls(_) | Self::Time(_) => None,
        }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Calls(it) => serializer.serialize_u32(*it),
            Self::Time(it) => serializer.serialize_str(&written(*it)),
        }
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Window;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of calls such as 100, or a time such as \"60s\"")
    }

    fn visit_u64<E: de::Error>(self, calls: u64) -> Result<Window, E> {
        u32::try_from(calls).map(Window::Calls).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(calls), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Window, E> {
        text.into_duration().map(Window::Time).map_err(E::custom)
    }
}
