//! The worker's signs of life, and its upkeep of the store: on a thread, runtime and connection of their own, so that
//! bodies that hog the runtime cannot starve them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    attempt::{RunningAttempt, Stop},
    shared::Shared,
    slot,
};
use crate::{
    application::{milestones, store_call},
    ports::{Heartbeat, Signal, StoreError, TaskStore},
};

/// Where the signs of life are given.
#[derive(Debug)]
pub(crate) struct Vitals {
    ended: Arc<Ended>,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Ended {
    asked: AtomicBool,
    wake: Notify,
}

impl Vitals {
    /// Starts giving signs of life.
    ///
    /// # Errors
    /// The operating system gives no thread or no runtime.
    pub(crate) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let ended = Arc::new(Ended::default());
        let seen = ended.clone();
        let declared = shared.standing();
        if shared.services.virtual_time {
            // A clock that the test moves exists on the test's runtime only.
            let runtime = shared.services.runtime.clone();
            store_call::spawn(&runtime, live(shared, declared, seen));
            return Ok(Self { ended, runtime });
        }
        let own = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let runtime = own.handle().clone();
        thread::Builder::new()
            .name("ddd-vitals".to_owned())
            .spawn(move || own.block_on(live(shared, declared, seen)))?;
        Ok(Self { ended, runtime })
    }

    /// Something about the worker has changed that the store is to know.
    pub(crate) fn look(&self) {
        self.ended.wake.notify_one();
    }

    /// Gives no more.
    pub(crate) fn stop(&self) {
        self.ended.ask();
    }

    /// Runs the last work of the worker beside the signs of life, and gives no more after it. It needs no thread that a body
    /// could hog, and is done even if nobody awaits it.
    pub(crate) fn last<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let ended = self.ended.clone();
        self.runtime.spawn(async move {
            let done = work.await;
            ended.ask();
            done
        })
    }
}

impl Ended {
    fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}

async fn live(shared: Arc<Shared>, declared: (usize, u64), ended: Arc<Ended>) {
    let services = &shared.services;
    let settings = &services.settings;
    let store = connect(&shared).await;
    let mut keeper = Keeper { last_contact: Instant::now(), reap_from: Instant::now(), declared };
    // Jitter: workers that started together do not beat together.
    let interval = || settings.heartbeat.mul_f64(0.9 + 0.1 * fastrand::f64());
    let mut next = Instant::now() + interval();
    let mut is_away = false;
    while !ended.asked.load(Ordering::Acquire) {
        let wait = next.saturating_duration_since(Instant::now()).min(next_overdue(&shared));
        if timeout(wait, ended.wake.notified()).await.is_ok() {
            if shared.standing() != keeper.declared && !ended.asked.load(Ordering::Acquire) {
                // If the store does not take it, the next beat tries again.
                let _ = keeper.declare(&shared, &*store).await;
            }
            continue;
        }
        for attempt in shared.attempts() {
            if over_grace(&attempt, settings.overdue_grace) {
                slot::report_overdue(&shared, &attempt);
            }
        }
        if Instant::now() < next {
            continue;
        }
        let began = Instant::now();
        let answer = keeper.keep(&shared, &*store).await;
        let pause = match answer {
            Ok(()) => {
                keeper.last_contact = Instant::now();
                if std::mem::take(&mut is_away) {
                    milestones::store_answers_again();
                }
                interval()
            }
            Err(error) => {
                is_away = true;
                tracing::warn!(error = &error as &dyn std::error::Error, "a heartbeat was not stored; trying again");
                (settings.heartbeat / 5).max(Duration::from_millis(1))
            }
        };
        // Skips what was missed while the store was slow: never a burst.
        next = (began + pause).max(Instant::now());
    }
}

/// The store over a connection of its own; over the common one if it gives none.
async fn connect(shared: &Shared) -> Arc<dyn TaskStore> {
    let services = &shared.services;
    services.call(services.store.dedicated()).await.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "heartbeats share the connection of all else");
        services.store.clone()
    })
}

/// Renews the leases of all that this worker holds.
async fn beat(shared: &Shared, store: &dyn TaskStore) -> Result<(), StoreError> {
    let settings = &shared.services.settings;
    let mut held = shared.feed.on_the_way(|it| crate::ports::Held { id: it.id, fence: it.fence });
    held.extend(shared.held_in_line());
    held.extend(shared.finisher.held());
    // A body far over its time that nobody could report is not vouched for any longer.
    let silent = settings.overdue_grace + settings.lease;
    held.extend(shared.attempts().iter().filter(|it| it.is_overdue() || !over_grace(it, silent)).map(|it| it.held()));
    let signals = shared.services.call(store.heartbeat(Heartbeat::new(shared.id, held, settings.lease))).await?;
    for signal in signals {
        match signal {
            Signal::Cancel { id, fence } => shared.stop(id, fence, Stop::Cancel),
            Signal::Lost { id, fence } => shared.stop(id, fence, Stop::Lost),
            _ => {}
        }
    }
    Ok(())
}

fn over_grace(attempt: &RunningAttempt, grace: Duration) -> bool {
    Instant::now() >= super::attempt::far(attempt.until(), grace)
}

/// How long until the next body is over its time and its grace.
fn next_overdue(shared: &Shared) -> Duration {
    let grace = shared.services.settings.overdue_grace;
    let running = shared.attempts();
    let next = running.iter().filter(|it| !it.is_overdue()).map(|it| super::attempt::far(it.until(), grace)).min();
    next.map_or(Duration::MAX, |it| it.saturating_duration_since(Instant::now()).max(Duration::from_millis(10)))
}

/// The upkeep of the store.
struct Keeper {
    last_contact: Instant,
    reap_from: Instant,
    /// As what the store knows this worker.
    declared: (usize, u64),
}

impl Keeper {
    const BATCH: usize = 1_000;

    /// A sign of life, and upkeep.
    async fn keep(&mut self, shared: &Shared, store: &dyn TaskStore) -> Result<(), StoreError> {
        let was_away = self.last_contact.elapsed() > shared.services.settings.lease;
        // Who was away for long may have been forgotten, and who is not known is given nothing.
        if was_away || shared.standing() != self.declared {
            self.declare(shared, store).await?;
        }
        beat(shared, store).await?;
        self.reap(shared, store).await
    }

    async fn declare(&mut self, shared: &Shared, store: &dyn TaskStore) -> Result<(), StoreError> {
        let standing = shared.standing();
        shared.services.call(store.declare(shared.declaration())).await?;
        self.declared = standing;
        Ok(())
    }

    /// Upkeep; but not within a lease after a gap in which the store was away, or this process: others could not renew
    /// their leases either, and must be given the time to. What takes long goes on after the next sign of life: the leases of
    /// this worker must not run out meanwhile.
    async fn reap(&mut self, shared: &Shared, store: &dyn TaskStore) -> Result<(), StoreError> {
        let lease = shared.services.settings.lease;
        let now = Instant::now();
        if now.saturating_duration_since(self.last_contact) > lease {
            self.reap_from = now + lease;
        }
        if now < self.reap_from {
            return Ok(());
        }
        loop {
            let reaped = shared.services.call(store.reap(Self::BATCH)).await?;
            if reaped.recovered > 0 {
                tracing::warn!(tasks = reaped.recovered, "took tasks back from workers that gave no sign of life");
            }
            if !reaped.more || now.elapsed() >= shared.services.settings.heartbeat / 2 {
                return Ok(());
            }
        }
    }
}
