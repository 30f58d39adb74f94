//! All connections of a server, and who gives way when there are too many.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::pulse::Pulse;

/// All connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    began: Instant,
    most: usize,
    kept: Mutex<Kept>,
    open: AtomicUsize,
    closed: Notify,
}

/// Those that are to stay.
#[derive(Debug, Default)]
struct Kept {
    pulses: HashMap<u64, Arc<Pulse>>,
    last: u64,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        let kept = Mutex::default();
        Self { began: Instant::now(), most, kept, open: AtomicUsize::new(0), closed: Notify::new() }
    }

    /// A place for a new connection. Where all are taken, the one gives way that is missed least; `None` if all work.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Place> {
        let pulse = Arc::new(Pulse::new(self.began));
        let mut kept = self.kept.lock();
        while kept.pulses.len() >= self.most {
            let worth = kept.pulses.iter().filter_map(|(number, it)| Some((it.worth()?, *number)));
            let (_, least) = worth.min()?;
            if let Some(pulse) = kept.pulses.remove(&least) {
                pulse.evict();
            }
        }
        kept.last += 1;
        let number = kept.last;
        kept.pulses.insert(number, pulse.clone());
        drop(kept);
        self.open.fetch_add(1, Ordering::AcqRel);
        Some(Place { all: self.clone(), number, pulse })
    }

    /// How many there are, those that are about to end included.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until none is open.
    pub(super) async fn all_closed(&self) {
        loop {
            let mut closed = std::pin::pin!(self.closed.notified());
            closed.as_mut().enable();
            if self.open() == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// A connection's place among all; free when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    all: Arc<Connections>,
    number: u64,
    pulse: Arc<Pulse>,
}

impl Place {
    pub(super) const fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Stays, although it was asked to give way: a request has come meanwhile.
    pub(super) fn stay(&self) {
        self.all.kept.lock().pulses.insert(self.number, self.pulse.clone());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.kept.lock().pulses.remove(&self.number);
        if self.all.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all.closed.notify_waiters();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panics")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_gives_way_and_those_that_work_stay() {
        let all = Arc::new(Connections::new(2));
        let working = all.admit().unwrap();
        working.pulse().request_begins(false);
        let silent = all.admit().unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        let new = all.admit().unwrap();
        silent.pulse().evicted().await;
        assert_eq!(all.open(), 3, "until its task has seen it");
        new.pulse().request_begins(false);
        assert!(all.admit().is_none());
        silent.pulse().request_begins(false);
        silent.stay();
        drop(new);
        assert!(all.admit().is_none(), "it counts again");
        drop((working, silent));
        all.all_closed().await;
        assert!(all.admit().is_some());
    }
}
