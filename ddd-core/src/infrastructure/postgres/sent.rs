//! Which ids this process has sent before. An id that was made a moment ago and goes out for the first time cannot be on record
//! yet, so nothing has to be looked for before its task is stored.

use std::{
    collections::HashSet,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

use crate::domain::TaskId;

/// At least so many ids are remembered.
const REMEMBERED: usize = 65_536;

/// Of the process, not of a store: several may stand for the same tables.
static SENT: LazyLock<Mutex<Sent>> = LazyLock::new(|| Mutex::new(Sent::since(SystemTime::now())));

#[derive(Debug)]
struct Sent {
    /// Whatever was made at this time or before may have been sent, by this process or another.
    floor: u128,
    latest: HashSet<u128>,
    before: HashSet<u128>,
}

/// Remembers ids from now on.
pub(super) fn begin() {
    LazyLock::force(&SENT);
}

/// Notes that these ids are sent; whether all of them are new.
pub(super) fn are_new(ids: impl Iterator<Item = TaskId>) -> bool {
    let mut sent = SENT.lock();
    let mut are_new = true;
    for id in ids {
        are_new &= sent.is_new(id.as_uuid().as_u128());
    }
    are_new
}

impl Sent {
    fn since(start: SystemTime) -> Self {
        let millis = start.duration_since(UNIX_EPOCH).map_or(u128::MAX >> 80, |it| it.as_millis());
        // The time stands in the uppermost 48 bits of an id.
        Self { floor: millis << 80, latest: HashSet::new(), before: HashSet::new() }
    }

    fn is_new(&mut self, id: u128) -> bool {
        if id <= self.floor || self.before.contains(&id) || !self.latest.insert(id) {
            return false;
        }
        if self.latest.len() >= REMEMBERED {
            // What is forgotten raises the floor, so that it never counts as new.
            self.floor = self.before.iter().copied().fold(self.floor, u128::max);
            self.before = std::mem::take(&mut self.latest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_id_is_new_once_and_never_again_however_many_follow() {
        let mut sent = Sent::since(UNIX_EPOCH + Duration::from_millis(5));
        assert!(!sent.is_new(4 << 80), "made before anything was remembered");
        let ids = (0..5 * REMEMBERED as u128).map(|it| (6 << 80) + it).collect::<Vec<_>>();
        assert!(ids.iter().all(|it| sent.is_new(*it)));
        assert!(ids.iter().all(|it| !sent.is_new(*it)));
        assert!(sent.latest.len() + sent.before.len() <= 2 * REMEMBERED);
    }
}
