//! How far a client is in a stream, and how it says so.

use std::{fmt, str::FromStr};

use axum::http::HeaderMap;

/// How far a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) epoch: u64,
    pub(super) number: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.epoch, self.number)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, number) = text.split_once('-').ok_or(())?;
        let epoch = u64::from_str_radix(epoch, 16).map_err(drop)?;
        Ok(Self { epoch, number: number.parse().ok().filter(|it| *it < u64::MAX).ok_or(())? })
    }
}

/// What a client has seen, as its request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastSeen {
    /// How far it was, if that can be read.
    pub(super) position: Option<Position>,
    /// The run of a task that it has seen the end of.
    pub(super) ended: Option<u32>,
}

impl LastSeen {
    /// What stands between a position and the run that ended there.
    pub(super) const END: &str = "-end";

    /// `None` for a client that has seen nothing.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("last-event-id")?.to_str().unwrap_or("-");
        let (position, run) = text.split_once(Self::END).unwrap_or((text, ""));
        (!text.is_empty()).then(|| Self { position: position.parse().ok(), ended: run.parse().ok() })
    }
}
