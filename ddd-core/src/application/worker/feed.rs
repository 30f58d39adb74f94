//! Hands claimed tasks to slots. Whichever slot needs work claims for all that do, so that batches form by themselves
//! where a claim takes time, and a single task reaches its slot by one hand-over.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::Instant};

use super::{
    crew::{Done, State},
    finisher::{Finisher, Report},
};
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
    pace_changed: Notify,
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

/// What a slot is given: the queue of the first of these tasks, and what it is to run one after the other, as long as bodies end
/// at their first poll.
pub(crate) struct Taken {
    pub(crate) queue: Name,
    pub(crate) tasks: VecDeque<Claimed>,
}

/// A claim to be made.
struct Claim {
    request: ClaimRequest,
    /// For how many slots.
    asked: usize,
    /// For how many tasks, if they are to run one after the other.
    batch: Option<usize>,
    /// Whether no other may be made meanwhile.
    is_only: bool,
    /// Under which queues and limits.
    revision: u64,
}

/// What a slot is to do.
enum Step {
    Run(Taken),
    Claim(Claim),
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
        let mut state = State::default();
        state.served.replace(queues);
        Self { worker, services, finisher, state: Mutex::new(state), pace_changed: Notify::new() }
    }

    /// Serves these queues from now on, within these limits. What is claimed, and on the way to a slot, is returned: it may
    /// be one too many.
    pub(crate) fn serve(&self, queues: Vec<(Name, usize)>) -> Vec<Claimed> {
        let mut state = self.state.lock();
        state.served.replace(queues);
        let on_the_way = state.ready.drain(..).collect();
        drop(state);
        self.services.bell.wake_all();
        on_the_way
    }

    /// Something may be ready: one slot that waits looks for it.
    pub(crate) fn wake(&self) {
        self.services.bell.wake_one();
    }

    /// Sets how many slots there should be; answers how many must be started.
    pub(crate) fn resize(&self, limit: usize) -> usize {
        let mut state = self.state.lock();
        state.limit = limit;
        let missing = if state.closed { 0 } else { limit.saturating_sub(state.slots) };
        state.slots += missing;
        self.keep_what_can_begin(state);
        // Slots that wait and are now too many end.
        self.services.bell.wake_all();
        missing
    }

    /// Claims nothing from now on. Slots that wait end; what is on the way to one is returned.
    pub(crate) fn close(&self) -> Vec<Claimed> {
        let mut state = self.state.lock();
        state.closed = true;
        let on_the_way = state.ready.drain(..).collect();
        drop(state);
        self.services.bell.wake_all();
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
        state.running > 0 || state.asked > 0
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

    /// A body waits, or runs on a thread of its own: slots claim one task at a time again.
    pub(crate) fn body_waits(&self) {
        let mut state = self.state.lock();
        state.quick = 0;
        self.keep_what_can_begin(state);
    }

    /// Where bodies take their time, what is claimed has a slot that is free for it; the rest is for others.
    fn keep_what_can_begin(&self, mut state: MutexGuard<'_, State>) {
        let free = state.limit.saturating_sub(state.running);
        if state.ready.len() <= free {
            return;
        }
        let rest = state.ready.split_off(free);
        let _expected = self.finisher.expect();
        drop(state);
        self.finisher.give_back(rest.into_iter());
    }

    /// Takes a task back that is on the way to a slot.
    pub(crate) fn take_out(&self, held: Held) -> Option<Claimed> {
        let mut state = self.state.lock();
        let place = state.ready.iter().position(|it| it.id == held.id && it.fence == held.fence)?;
        state.ready.remove(place)
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// The next task for a slot; `None` if the slot is to end. `done` is what the slot has just done, and `reports` what is to be
    /// written about that.
    pub(crate) async fn next(&self, done: Option<&Done>, reports: &mut Vec<Report>) -> Option<Taken> {
        let mut pause = Pause::default();
        let mut from = done.map_or(Slot::Begins, Slot::Finished);
        let bell = &self.services.bell;
        let _listening = bell.listen();
        loop {
            // Made before the look, so that no call to all slots falls between look and wait.
            let hint = bell.heard();
            // Whoever sees that the slot runs nothing is to see that its reports are still to be written.
            let expected = (!reports.is_empty()).then(|| self.finisher.expect());
            let step = self.step(from);
            if !matches!(step, Step::Claim(_)) {
                self.finisher.push_all(reports);
            }
            match step {
                Step::Run(taken) => return Some(taken),
                Step::End => return None,
                Step::Wait => {
                    drop(expected);
                    let _waiting = bell.wait();
                    self.services.store.settle();
                    hint.await;
                    from = Slot::Waited;
                }
                Step::Claim(claim) => {
                    from = Slot::Begins;
                    bell.looks();
                    let with = self.finisher.write_and_claim(reports, &claim.request);
                    self.finisher.push_all(reports);
                    drop(expected);
                    match self.claim(claim, with).await {
                        Ok(Some(taken)) => return Some(taken),
                        Ok(None) => from = Slot::Claimed,
                        Err(error) => pause.report_and_wait(&error, "claiming tasks").await,
                    }
                }
            }
        }
    }

    /// Asks the store, unless it has answered; the first task that it hands out is for the slot that asked. What it hands out
    /// after it was given up on goes back.
    async fn claim(&self, claim: Claim, answer: Option<Claims>) -> Result<Option<Taken>, StoreError> {
        let services = &self.services;
        let Claim { request, asked, batch, mut is_only, revision } = claim;
        let answer = answer.map_or_else(|| store_call::poll_now(services.store.claim(request)), |it| Ok(Ok(it)));
        let answer = match answer {
            Ok(answer) => answer,
            Err(pending) => {
                if !is_only {
                    is_only = true;
                    self.state.lock().claiming += 1;
                }
                self.state.lock().is_remote = true;
                let finisher = self.finisher.clone();
                let late = move |claims: Claims| finisher.give_back(claims.tasks.into_iter());
                store_call::detach(&services.runtime, pending, services.store_timeout(), late).await
            }
        };
        let mut state = self.state.lock();
        state.asked -= asked;
        state.claiming -= usize::from(is_only);
        Ok(self.take(state, answer?, batch, revision))
    }

    /// What a slot is to do.
    fn step(&self, from: Slot<'_>) -> Step {
        let mut state = self.state.lock();
        match from {
            Slot::Begins | Slot::Claimed => {}
            Slot::Finished(done) => {
                state.ended(done);
                if done.quick.is_none() {
                    self.keep_what_can_begin(state);
                    state = self.state.lock();
                }
            }
            Slot::Waited => state.hungry -= 1,
        }
        if state.closed || state.slots > state.limit {
            state.slots -= 1;
            drop(state);
            // The hint that woke this slot may have been meant for work that another one can still do.
            self.wake();
            return Step::End;
        }
        if !state.ready.is_empty() {
            let line = state.line();
            return Step::Run(self.started(state, line));
        }
        let has_just_looked = matches!(from, Slot::Claimed) && !state.again;
        if state.claiming > 0 || (state.alone && state.running > 0) {
            state.again = true;
        } else if !has_just_looked {
            state.again = false;
            return Step::Claim(self.begin_claim(&mut state));
        }
        state.hungry += 1;
        Step::Wait
    }

    fn begin_claim(&self, state: &mut State) -> Claim {
        let is_idle = state.running == 0 && state.ready.is_empty() && state.asked == 0;
        let taken = state.running + state.ready.len() + state.asked;
        // What must run alone is given to nobody but an idle worker that asks for it.
        let is_batch = state.quick >= State::QUICK && !state.served.has_limits() && !(is_idle && state.alone);
        let batch = is_batch.then(|| state.batch());
        let is_idle = is_idle && !is_batch;
        let asked = if is_batch { 1 } else { (1 + state.hungry).min(state.limit.saturating_sub(taken)).max(1) };
        // What must run alone, and what is limited in this worker, is counted by one claim at a time.
        let is_only = is_idle || state.served.has_limits();
        state.asked += asked;
        state.claiming += usize::from(is_only);
        let revision = state.served.revision();
        Claim { request: self.request(state, batch.unwrap_or(asked), is_idle), asked, batch, is_only, revision }
    }

    fn request(&self, state: &State, max: usize, is_idle: bool) -> ClaimRequest {
        ClaimRequest::new(self.worker, state.served.room(), max, self.services.settings.lease, is_idle)
    }

    /// Takes a claim's answer in.
    fn take(
        &self,
        mut state: MutexGuard<'_, State>,
        claims: Claims,
        batch: Option<usize>,
        revision: u64,
    ) -> Option<Taken> {
        let tasks = claims.tasks;
        // What was asked for under other limits may be too much under these.
        let is_outdated = revision != state.served.revision();
        if state.closed || is_outdated {
            state.again |= is_outdated;
            // Whoever sees that no claim is under way is to see that this is still to be written.
            let _expected = self.finisher.expect();
            drop(state);
            self.finisher.give_back(tasks.into_iter());
            return None;
        }
        state.alone = claims.alone || claims.alone_waiting;
        if let Some(delay) = claims.next_in {
            self.plan(&mut state, delay);
        }
        if tasks.is_empty() {
            return None;
        }
        // As much as was asked for: others will find something as well.
        state.again |= batch == Some(tasks.len());
        if batch.is_none_or(|it| state.is_remote && it > State::BATCH) {
            state.ready.extend(tasks);
            // A body may have begun to wait while the store was asked.
            let first = if batch.is_some() { state.line() } else { state.ready.pop_front().into_iter().collect() };
            let taken = self.started(state, first);
            self.keep_what_can_begin_unless_quick();
            return Some(taken);
        }
        Some(self.started(state, tasks.into()))
    }

    fn keep_what_can_begin_unless_quick(&self) {
        let state = self.state.lock();
        if state.quick < State::QUICK {
            self.keep_what_can_begin(state);
        }
    }

    fn plan(&self, state: &mut State, delay: Duration) {
        let at = super::attempt::far(Instant::now(), delay);
        if state.next_at.is_none_or(|it| at < it) {
            state.next_at = Some(at);
            self.pace_changed.notify_one();
        }
    }

    /// A slot begins with what it is given. Of several tasks one runs at a time, and as there are several only where no queue is
    /// limited, it does not matter that the others may be of another queue.
    fn started(&self, mut state: MutexGuard<'_, State>, tasks: VecDeque<Claimed>) -> Taken {
        let queue = tasks.front().map_or(const { Name::new("") }, |it| it.queue.clone());
        state.running += 1;
        state.served.started(&queue);
        // Each slot that takes something wakes the next one that waits, as long as there is something to take.
        let more = state.hungry > 0 && (!state.ready.is_empty() || state.again || self.services.bell.is_rung());
        drop(state);
        if more {
            self.wake();
        }
        Taken { queue, tasks }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        write!(f, "Feed({} slots, {} running)", state.slots, state.running)
    }
}
