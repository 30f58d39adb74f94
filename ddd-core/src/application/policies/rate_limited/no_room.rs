use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{Exceeded, Moment};

/// A limit lets a call not pass. In how long there is room, if that is known, and there ever is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom(pub(super) Option<Duration>);

impl NoRoom {
    /// As the arithmetic says it.
    pub(super) fn at(exceeded: Exceeded, now: Moment) -> Self {
        match exceeded {
            Exceeded::Until(at) => Self(Some(at.since(now))),
            Exceeded::Always => Self(None),
        }
    }

    /// When there is room, if that is not after `deadline`.
    pub(super) fn before(self, deadline: Instant) -> Option<Instant> {
        Instant::now().checked_add(self.0?).filter(|it| *it <= deadline)
    }
}
