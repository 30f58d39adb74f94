//! Hands claimed tasks to slots. Whichever slot needs work claims for all that do, so that batches form by themselves
//! where a claim takes time, and a single task reaches its slot by one hand-over.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::Instant};

use super::finisher::Finisher;
use crate::{
    application::{services::Services, store_call::Pause},
    domain::{Name, WorkerId},
    ports::{ClaimRequest, Claimed, Claims},
};

pub(crate) struct Feed {
    worker: WorkerId,
    services: Arc<Services>,
    finisher: Arc<Finisher>,
    state: Mutex<State>,
    wake: Notify,
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
}

/// Where a slot comes from when it asks what to do.
#[derive(Clone, Copy)]
enum Slot<'a> {
    /// It has just started, or could not claim.
    Begins,
    /// It ran a task of this queue.
    Finished(&'a Name),
    /// It waited for a hint.
    Waited,
    /// It claimed and was given nothing.
    Claimed,
}

/// What a slot is to do.
enum Step {
    Run(Claimed),
    Claim(ClaimRequest),
    Wait,
    End,
}

impl Feed {
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
            wake: Notify::new(),
            pace_changed: Notify::new(),
            queues: queues.into(),
            has_queue_limits,
        }
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

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// The next task for a slot; `None` if the slot is to end. `done` is the queue of the task that the slot has just
    /// finished.
    pub(crate) async fn next(&self, done: Option<&Name>) -> Option<Claimed> {
        let mut pause = Pause::default();
        let mut from = done.map_or(Slot::Begins, Slot::Finished);
        loop {
            // Made before the look, so that no call to all slots falls between look and wait.
            let hint = self.wake.notified();
            match self.step(from) {
                Step::Run(claimed) => return Some(claimed),
                Step::End => return None,
                Step::Wait => {
                    hint.await;
                    from = Slot::Waited;
                }
                Step::Claim(request) => {
                    from = Slot::Begins;
                    match self.services.call(self.services.store.claim(request)).await {
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

    /// What a slot is to do.
    fn step(&self, from: Slot<'_>) -> Step {
        let mut state = self.state.lock();
        match from {
            Slot::Begins | Slot::Claimed => {}
            Slot::Finished(queue) => self.ended(&mut state, queue),
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
        let max = (1 + state.hungry).min(state.limit.saturating_sub(state.running)).max(1);
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

    fn ended(&self, state: &mut State, queue: &Name) {
        state.running -= 1;
        state.alone &= state.running > 0;
        if self.has_queue_limits
            && let Some(index) = self.queues.iter().position(|it| it.0 == *queue)
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
