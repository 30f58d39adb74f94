//! Reports the ends of attempts, in batches: group commit without a timer. A report is written at once if none is under
//! way; those that arrive meanwhile go together with the next.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{
    application::{hooks::FailedTask, services::Services, store_call},
    domain::{AttemptError, Name, TaskStatus},
    ports::{AttemptEnd, ClaimRequest, Claimed, Claims, Finish, Finished, Held, StoreError, StoreFuture},
};

/// The end of an attempt, and what this process needs to know when it is stored.
#[derive(Clone)]
pub(crate) struct Report {
    pub(crate) finish: Finish,
    pub(crate) name: Name,
    pub(crate) run: u32,
    pub(crate) attempt: u32,
}

impl Report {
    /// The end of an attempt that no body has begun with.
    pub(crate) fn unbegun(claimed: Claimed, end: AttemptEnd) -> Self {
        let finish = Finish::new(claimed.id, claimed.fence, end);
        Self { finish, name: claimed.name, run: claimed.run, attempt: claimed.attempt }
    }
}

pub(crate) struct Finisher {
    services: Arc<Services>,
    state: Mutex<State>,
    written: Notify,
    /// When its worker ended.
    closed: OnceLock<Instant>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Report>,
    /// Empty room for those that come while these are written.
    room: Vec<Report>,
    /// What is being written: it stays leased until it is.
    under_way: Vec<Held>,
    writing: bool,
    /// From how many slots reports are on their way.
    expected: usize,
}

impl State {
    const fn is_idle(&self) -> bool {
        !self.writing && self.expected == 0
    }
}

/// Reports are on their way as long as this lives.
pub(crate) struct Expected<'a>(&'a Finisher);

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.0.state.lock().expected -= 1;
        self.0.written.notify_waiters();
    }
}

impl Finisher {
    /// How many ends may wait to be written before slots wait as well.
    const MAX_WAITING: usize = 1_000;

    pub(crate) fn new(services: Arc<Services>) -> Arc<Self> {
        Arc::new(Self { services, state: Mutex::default(), written: Notify::new(), closed: OnceLock::new() })
    }

    /// Its worker has ended. What the store has not taken one lease from now is for others to recover.
    pub(crate) fn close(&self) {
        let _ = self.closed.set(Instant::now());
    }

    fn is_worth_trying(&self) -> bool {
        self.closed.get().is_none_or(|it| it.elapsed() < self.services.settings.lease)
    }

    /// Takes a report. It is written as soon as no other is under way.
    pub(crate) fn push(self: &Arc<Self>, report: Report) {
        self.state.lock().waiting.push(report);
        self.flush();
    }

    /// Takes several reports; leaves the room for others.
    pub(crate) fn push_all(self: &Arc<Self>, reports: &mut Vec<Report>) {
        if !reports.is_empty() {
            self.state.lock().waiting.append(reports);
            self.flush();
        }
    }

    /// Writes reports together with a claim, if the store does that at once; answers with what was claimed.
    pub(crate) fn write_and_claim(
        self: &Arc<Self>,
        reports: &mut Vec<Report>,
        request: &ClaimRequest,
    ) -> Option<Claims> {
        if reports.is_empty() {
            return None;
        }
        let mut finishes = reports.iter().map(|it| it.finish.clone());
        let store = &*self.services.store;
        let (answers, claims) = store_call::finish_and_claim_now(store, &mut finishes, request)?;
        self.settle(reports, answers);
        Some(claims)
    }

    /// Reports are on their way here: as long as this lives, not everything is written.
    pub(crate) fn expect(&self) -> Expected<'_> {
        self.state.lock().expected += 1;
        Expected(self)
    }

    /// Writes what waits.
    fn flush(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.writing || state.waiting.is_empty() {
            return;
        }
        state.writing = true;
        let room = std::mem::take(&mut state.room);
        let batch = std::mem::replace(&mut state.waiting, room);
        drop(state);
        self.write(batch);
    }

    /// Gives tasks back that no body has begun with.
    pub(crate) fn give_back(self: &Arc<Self>, tasks: impl Iterator<Item = Claimed>) {
        tasks.for_each(|it| self.end_unbegun(it, AttemptEnd::Release));
    }

    /// Ends an attempt that no body has begun with.
    pub(crate) fn end_unbegun(self: &Arc<Self>, claimed: Claimed, end: AttemptEnd) {
        self.push(Report::unbegun(claimed, end));
    }

    /// Waits while too many ends are waiting to be written.
    pub(crate) async fn room(&self) {
        loop {
            let written = self.written.notified();
            if self.state.lock().waiting.len() < Self::MAX_WAITING {
                return;
            }
            written.await;
        }
    }

    /// Waits until everything is written.
    pub(crate) async fn idle(self: &Arc<Self>) {
        self.flush();
        loop {
            let mut written = std::pin::pin!(self.written.notified());
            written.as_mut().enable();
            if self.state.lock().is_idle() {
                return;
            }
            written.await;
        }
    }

    /// The claims whose ends are not written yet.
    pub(crate) fn held(&self) -> Vec<Held> {
        let state = self.state.lock();
        let waiting = state.waiting.iter().map(|it| Held { id: it.finish.id, fence: it.finish.fence });
        state.under_way.iter().copied().chain(waiting).collect()
    }

    /// Writes batch after batch; goes to a task of its own when the store does not answer at once.
    fn write(self: &Arc<Self>, mut batch: Vec<Report>) {
        loop {
            match store_call::poll_now(self.finish(&batch)) {
                Ok(Ok(answers)) => {
                    self.settle(&mut batch, answers);
                    batch.shrink_to(Self::MAX_WAITING);
                    self.state.lock().room = batch;
                }
                Ok(Err(error)) => return self.write_later(batch, Box::pin(std::future::ready(Err(error)))),
                Err(pending) => return self.write_later(batch, pending),
            }
            match self.next_batch() {
                Some(next) => batch = next,
                None => return,
            }
        }
    }

    fn write_later(self: &Arc<Self>, mut batch: Vec<Report>, pending: StoreFuture<Vec<Finished>>) {
        self.state.lock().under_way =
            batch.iter().map(|it| Held { id: it.finish.id, fence: it.finish.fence }).collect();
        let this = self.clone();
        store_call::spawn(&self.services.runtime, async move {
            let timeout = this.services.store_timeout();
            let mut first = Some(pending);
            let make = || first.take().unwrap_or_else(|| this.finish(&batch));
            let again = || this.is_worth_trying();
            match store_call::call_until_answered(make, again, timeout, "reporting the ends of attempts").await {
                Ok(answers) => this.settle(&mut batch, answers),
                Err(error) => Self::give_up(&batch, &error),
            }
            this.state.lock().under_way.clear();
            if let Some(next) = this.next_batch() {
                this.write(next);
            }
        });
    }

    fn finish(&self, batch: &[Report]) -> StoreFuture<Vec<Finished>> {
        self.services.store.finish(batch.iter().map(|it| it.finish.clone()).collect())
    }

    fn next_batch(&self) -> Option<Vec<Report>> {
        let mut state = self.state.lock();
        let room = std::mem::take(&mut state.room);
        let next = std::mem::replace(&mut state.waiting, room);
        if next.is_empty() {
            state.writing = false;
        }
        drop(state);
        self.written.notify_waiters();
        (!next.is_empty()).then_some(next)
    }

    fn settle(self: &Arc<Self>, batch: &mut Vec<Report>, answers: Vec<Finished>) {
        for (report, answer) in batch.drain(..).zip(answers) {
            match answer {
                Finished::Applied(status) => Self::ended(&self.services, report, status),
                Finished::AlreadyApplied => self.told_twice(report),
                Finished::Stale => {
                    tracing::warn!(task_id = %report.finish.id, task_name = %report.name, fence = %report.finish.fence,
                        "the end of an attempt was discarded: its lease had been lost");
                }
            }
        }
    }

    /// The store had the report already: its first answer was lost. What became of the task is asked for where someone is to
    /// be told.
    fn told_twice(self: &Arc<Self>, report: Report) {
        let is_failure = matches!(report.finish.end, AttemptEnd::Failed(_) | AttemptEnd::Timeout { .. });
        if !is_failure || self.services.hooks.on_failure_is_empty() {
            return;
        }
        let this = self.clone();
        store_call::spawn(&self.services.runtime, async move {
            let services = &this.services;
            let again = || this.is_worth_trying();
            let get = || services.store.get(vec![report.finish.id]);
            let timeout = services.store_timeout();
            let answer = store_call::call_until_answered(get, again, timeout, "reading a task").await;
            let record = answer.ok().and_then(|it| it.into_iter().next().flatten());
            if let Some(record) = record.filter(|it| it.run == report.run && it.attempt == report.attempt) {
                Self::ended(services, report, record.status);
            }
        });
    }

    fn ended(services: &Services, report: Report, status: TaskStatus) {
        #[cfg(feature = "metrics")]
        if status.is_terminal()
            && let Some(registered) = services.registry.find(&report.name)
        {
            registered.meters.finished(status);
        }
        let (AttemptEnd::Failed(error) | AttemptEnd::Timeout { error, .. }) = report.finish.end else { return };
        if !matches!(status, TaskStatus::Failed | TaskStatus::Timeout) {
            return;
        }
        let (id, name, run, attempt) = (report.finish.id, report.name, report.run, report.attempt);
        tracing::warn!(task_id = %id, task_name = %name, attempt, error = error.message, "task ended as {status}");
        let error = AttemptError { run, attempt, at: services.clock.now(), ..error };
        services.hooks.failed(&services.threads, || FailedTask { id, name, run, attempt, status, error });
    }

    /// The store refuses for good, or the worker has ended and the store stays away. The leases run out, and the tasks run again: at least once.
    fn give_up(batch: &[Report], error: &StoreError) {
        tracing::error!(
            error = error as &dyn std::error::Error,
            tasks = batch.len(),
            "the ends of attempts could not be stored; the tasks will run again"
        );
    }
}

impl fmt::Debug for Finisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finisher")
    }
}
