//! Hands claimed tasks to slots. Whichever slot needs work claims for all that do, so that batches form by themselves
//! where a claim takes time, and a single task reaches its slot by one hand-over.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::Instant};

use super::finisher::Finisher;
use crate::{
    application::{
        services::Services,
        store_call::{self, Pause},
    },
    domain::{Name, WorkerId},
    ports::{ClaimRequest, Claimed, Claims, Held, StoreError},
};

pub(crate) struct Feed {
    worker: WorkerId,
    services: Arc<Services>,
    finisher: Arc<Finisher>,
    state: Mutex<State>,
    wake: Arc<Notify>,
    pace_changed: Notify,
    /// The queues that this worker serves, and how many tasks of each it may run at once.
    queues: Arc<[(Name, usize)]>,
    has_queue_limits: bool,
}

#[derive(Default)]
struct State {
    /// Claimed, and on the way to a slot.
    ready: VecDeque<Claimed>,
    /// How many slots there are, and how many there should be.
    slots: usize,
    limit: usize,
    /// How many of them wait for work, and how many run a body.
    hungry: usize,
    running: usize,
    running_by_queue: Vec<usize>,
    /// A claim is under way; and another is wanted after it.
    claiming: bool,
    again: bool,
    /// A task that must run alone runs, or waits until this worker is idle.
    alone: bool,
    closed: bool,
    /// When a task becomes ready by itself.
    next_at: Option<Instant>,
    /// How many bodies in a row ended at their first poll.
    quick: usize,
}

/// Where a slot comes from when it asks what to do.
#[derive(Clone, Copy)]
enum Slot<'a> {
    /// It has just started, or could not claim.
    Begins,
    /// It ran a task.
    Finished(&'a Done),
    /// It waited for a hint.
    Waited,
    /// It claimed and was given nothing.
    Claimed,
}

/// What a slot has just done.
pub(crate) struct Done {
    /// The queue of the task that it ran.
    pub(crate) queue: Name,
    /// Whether the body ended at its first poll.
    pub(crate) was_quick: bool,
}

/// What a slot is to do.
enum Step {
    Run(Claimed),
    Claim(ClaimRequest),
    Wait,
    End,
}

impl Feed {
    /// After so many bodies in a row that ended at their first poll, a claim takes some tasks more than there are slots, so
    /// that one call serves several. The first body that waits ends that, and what is on the way goes back.
    const QUICK: usize = 32;
    /// How many more, besides one for each slot.
    const AHEAD: usize = 8;

    pub(crate) fn new(
        worker: WorkerId,
        services: Arc<Services>,
        finisher: Arc<Finisher>,
        queues: Vec<(Name, usize)>,
    ) -> Self {
        let has_queue_limits = queues.iter().any(|it| it.1 != usize::MAX);
        let state = State { running_by_queue: vec![0; queues.len()], ..State::default() };
        Self {
            worker,
            services,
            finisher,
            state: Mutex::new(state),
            wake: Arc::default(),
            pace_changed: Notify::new(),
            queues: queues.into(),
            has_queue_limits,
        }
    }

    /// Rung when something may be ready: one slot that waits looks for it.
    pub(crate) fn bell(&self) -> &Arc<Notify> {
        &self.wake
    }

    /// Something may be ready: one slot that waits looks for it.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Sets how many slots there should be; answers how many must be started.
    pub(crate) fn resize(&self, limit: usize) -> usize {
        let mut state = self.state.lock();
        state.limit = limit;
        let missing = if state.closed { 0 } else { limit.saturating_sub(state.slots) };
        state.slots += missing;
        drop(state);
        // Slots that wait and are now too many end.
        self.wake.notify_waiters();
        missing
    }

    /// Claims nothing from now on. Slots that wait end; what is on the way to one is returned.
    pub(crate) fn close(&self) -> Vec<Claimed> {
        let mut state = self.state.lock();
        state.closed = true;
        let on_the_way = state.ready.drain(..).collect();
        drop(state);
        self.wake.notify_waiters();
        self.pace_changed.notify_one();
        on_the_way
    }

    /// How many bodies run.
    pub(crate) fn running(&self) -> usize {
        self.state.lock().running
    }

    /// Whether a body runs, or a claim is under way.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.state.lock();
        state.running > 0 || state.claiming
    }

    /// What is claimed and on the way to a slot.
    pub(crate) fn on_the_way<T>(&self, each: impl Fn(&Claimed) -> T) -> Vec<T> {
        self.state.lock().ready.iter().map(each).collect()
    }

    /// When a task becomes ready by itself, if a claim has told of one.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.state.lock().next_at
    }

    /// Ends when that time changes.
    pub(crate) async fn pace_changed(&self) {
        self.pace_changed.notified().await;
    }

    /// Forgets that time and wakes a slot.
    pub(crate) fn look(&self) {
        self.state.lock().next_at = None;
        self.wake();
    }

    /// A body waits, or runs on a thread of its own: what is on the way and has no slot goes back.
    pub(crate) fn body_waits(&self) {
        let mut state = self.state.lock();
        let was_quick = std::mem::take(&mut state.quick) >= Self::QUICK;
        let kept = if was_quick { state.hungry.min(state.ready.len()) } else { state.ready.len() };
        let without_slot = state.ready.split_off(kept);
        drop(state);
        self.finisher.flush();
        self.finisher.give_back(without_slot.into_iter());
    }

    /// Takes a task back that is on the way to a slot.
    pub(crate) fn take_out(&self, held: Held) -> Option<Claimed> {
        let mut state = self.state.lock();
        let place = state.ready.iter().position(|it| it.id == held.id && it.fence == held.fence)?;
        state.ready.remove(place)
    }

    /// Whether something is on the way to a slot.
    pub(crate) fn has_ready(&self) -> bool {
        !self.state.lock().ready.is_empty()
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// The next task for a slot; `None` if the slot is to end. `done` is what the slot has just done.
    pub(crate) async fn next(&self, done: Option<&Done>) -> Option<Claimed> {
        let mut pause = Pause::default();
        let mut from = done.map_or(Slot::Begins, Slot::Finished);
        loop {
            // Made before the look, so that no call to all slots falls between look and wait.
            let hint = self.wake.notified();
            match self.step(from) {
                Step::Run(claimed) => return Some(claimed),
                Step::End => return None,
                Step::Wait => {
                    self.finisher.flush();
                    hint.await;
                    from = Slot::Waited;
                }
                Step::Claim(request) => {
                    self.finisher.flush();
                    from = Slot::Begins;
                    match self.claim(request).await {
                        Ok(claims) => match self.take(claims) {
                            Some(claimed) => return Some(claimed),
                            None => from = Slot::Claimed,
                        },
                        Err(error) => {
                            self.state.lock().claiming = false;
                            pause.report_and_wait(&error, "claiming tasks").await;
                        }
                    }
                }
            }
        }
    }

    /// Asks the store. What it hands out after it was given up on goes back.
    async fn claim(&self, request: ClaimRequest) -> Result<Claims, StoreError> {
        let finisher = self.finisher.clone();
        let late = move |claims: Claims| finisher.give_back(claims.tasks.into_iter());
        store_call::call_or_late(self.services.store.claim(request), self.services.store_timeout(), late).await
    }

    /// What a slot is to do.
    fn step(&self, from: Slot<'_>) -> Step {
        let mut state = self.state.lock();
        match from {
            Slot::Begins | Slot::Claimed => {}
            Slot::Finished(done) => self.ended(&mut state, done),
            Slot::Waited => state.hungry -= 1,
        }
        if state.closed || state.slots > state.limit {
            state.slots -= 1;
            drop(state);
            // The hint that woke this slot may have been meant for work that another one can still do.
            self.wake.notify_one();
            return Step::End;
        }
        if let Some(claimed) = state.ready.pop_front() {
            return Step::Run(self.started(state, claimed));
        }
        let has_just_looked = matches!(from, Slot::Claimed) && !state.again;
        if state.claiming || (state.alone && state.running > 0) {
            state.again = true;
        } else if !has_just_looked {
            state.claiming = true;
            state.again = false;
            return Step::Claim(self.request(&state));
        }
        state.hungry += 1;
        Step::Wait
    }

    fn request(&self, state: &State) -> ClaimRequest {
        let ahead = if state.quick >= Self::QUICK && !self.has_queue_limits { state.limit + Self::AHEAD } else { 0 };
        let max = (1 + state.hungry).min(state.limit.saturating_sub(state.running)).max(1) + ahead;
        let queues = if self.has_queue_limits {
            let running = state.running_by_queue.iter();
            self.queues
                .iter()
                .zip(running)
                .map(|((name, most), now)| (name.clone(), most.saturating_sub(*now)))
                .collect()
        } else {
            self.queues.clone()
        };
        let idle = state.running == 0;
        ClaimRequest::new(self.worker, queues, max, self.services.settings.lease, idle)
    }

    /// Takes a claim's answer in: the first task is for the slot that claimed.
    fn take(&self, claims: Claims) -> Option<Claimed> {
        let mut state = self.state.lock();
        state.claiming = false;
        let mut tasks = claims.tasks.into_iter();
        if state.closed {
            drop(state);
            self.finisher.give_back(tasks);
            return None;
        }
        state.alone = claims.alone || claims.alone_waiting;
        let first = tasks.next();
        state.ready.extend(tasks);
        if let Some(delay) = claims.next_in {
            self.plan(&mut state, delay);
        }
        Some(self.started(state, first?))
    }

    fn plan(&self, state: &mut State, delay: Duration) {
        let at = super::attempt::far(Instant::now(), delay);
        if state.next_at.is_none_or(|it| at < it) {
            state.next_at = Some(at);
            self.pace_changed.notify_one();
        }
    }

    fn started(&self, mut state: MutexGuard<'_, State>, claimed: Claimed) -> Claimed {
        state.running += 1;
        if self.has_queue_limits
            && let Some(index) = self.queues.iter().position(|it| it.0 == claimed.queue)
        {
            state.running_by_queue[index] += 1;
        }
        // Each slot that takes something wakes the next one that waits, as long as there is something to take.
        let more = state.hungry > 0 && (!state.ready.is_empty() || state.again);
        drop(state);
        if more {
            self.wake.notify_one();
        }
        claimed
    }

    fn ended(&self, state: &mut State, done: &Done) {
        state.running -= 1;
        state.quick = if done.was_quick { state.quick + 1 } else { 0 };
        state.alone &= state.running > 0;
        if self.has_queue_limits
            && let Some(index) = self.queues.iter().position(|it| it.0 == done.queue)
        {
            state.running_by_queue[index] -= 1;
        }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        write!(f, "Feed({} slots, {} running)", state.slots, state.running)
    }
}
