use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering, fence},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::{runtime::Handle, sync::Notify, task::JoinSet, time::Instant};
use tracing::Instrument as _;

use super::progress::ProgressWriter;
use crate::{
    application::{
        current::{self, Inherited},
        guard::Contained,
        task_span::Described,
    },
    domain::WorkerId,
    ports::{Attempt, AttemptInfo, BoxFuture, Claimed, Held},
};

/// Why a body is to end before it is done. A later reason replaces an earlier one only if it is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stop {
    /// It may go on.
    None,
    /// Its task was cancelled.
    Cancel,
    /// Its worker shuts down and gives it back.
    Release,
    /// Its lease was lost: what it reports will be discarded.
    Lost,
}

/// Whether the attempt was reported as one that runs over its time and cannot be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Overdue {
    /// It was not.
    No,
    /// It was, and another attempt may follow when it returns.
    Retryable,
    /// It was, and its task has ended by it.
    Final,
    /// It has ended: too late to report it.
    Ended,
}

/// What the attempts of one slot have in common.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) runtime: Handle,
    /// Where progress is reported to; nowhere if the task has no record.
    pub(crate) progress: Option<Arc<ProgressWriter>>,
    /// The worker, if there is one.
    pub(crate) worker: Option<WorkerId>,
    /// In how many places an attempt is held beside its body: where it is run, and where the rest of the worker finds it.
    pub(crate) holders: usize,
}

/// An attempt that runs in this process: what its body sees of it, and what the worker does to it.
#[derive(Debug)]
pub(crate) struct RunningAttempt {
    info: AttemptInfo,
    surroundings: Arc<Surroundings>,
    timeout: Duration,
    until: Instant,
    stop: AtomicU8,
    overdue: AtomicU8,
    given_back: AtomicBool,
    listening: AtomicBool,
    was_told: AtomicBool,
    stopped: OnceLock<Arc<Notify>>,
    has_children: AtomicBool,
    children: Mutex<Children>,
}

#[derive(Debug, Default)]
enum Children {
    #[default]
    None,
    Some(JoinSet<()>),
    Closed,
}

impl RunningAttempt {
    /// The attempt that was claimed; and its parameters, which are for its body alone.
    pub(crate) fn new(claimed: Claimed, began: Instant, surroundings: Arc<Surroundings>) -> (Self, Arc<RawValue>) {
        let timeout = claimed.timeout;
        let (info, params) = taken_apart(claimed);
        let this = Self {
            info,
            surroundings,
            timeout,
            until: far(began, timeout),
            stop: AtomicU8::new(Stop::None as u8),
            overdue: AtomicU8::new(Overdue::No as u8),
            given_back: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            was_told: AtomicBool::new(false),
            stopped: OnceLock::new(),
            has_children: AtomicBool::new(false),
            children: Mutex::default(),
        };
        (this, params)
    }

    /// Becomes the next attempt in the same surroundings. Whoever calls this is the only one who still knew the last one.
    #[inline(always)]
    fn become_next(&mut self, claimed: Claimed, began: Instant) -> Arc<RawValue> {
        // Field by field: what is known of an attempt is large, and would be made elsewhere and moved here.
        let Claimed { id, name, queue, priority, params, run, attempt, max_attempts, .. } = claimed;
        let Claimed { timeout, fence, due, created_at, started_at, label, .. } = claimed;
        self.timeout = timeout;
        self.until = far(began, timeout);
        let info = &mut self.info;
        (info.id, info.name, info.queue, info.priority) = (id, name, queue, priority);
        (info.run, info.attempt, info.max_attempts, info.fence) = (run, attempt, max_attempts, fence);
        (info.due, info.created_at, info.deadline) = (due, created_at, started_at.after(timeout));
        if label.is_some() || info.origin.is_some() {
            info.origin = label.map(|it| it.origin);
        }
        *self.stop.get_mut() = Stop::None as u8;
        *self.overdue.get_mut() = Overdue::No as u8;
        *self.given_back.get_mut() = false;
        *self.listening.get_mut() = false;
        *self.was_told.get_mut() = false;
        self.stopped = OnceLock::new();
        *self.has_children.get_mut() = false;
        *self.children.get_mut() = Children::None;
        params
    }

    /// The claim that it is of.
    pub(crate) fn held(&self) -> Held {
        Held { id: self.info.id, fence: self.info.fence }
    }

    /// What the tasks have from it that its body submits; nothing if it has no record that they could name.
    pub(crate) fn inherited(&self) -> Option<Inherited> {
        self.surroundings.progress.is_some().then(|| Inherited::of(&self.info))
    }

    /// What its span says.
    pub(crate) fn described(&self) -> Described {
        Described::of(&self.info, self.surroundings.worker)
    }

    /// How long it may take.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When it times out.
    pub(crate) const fn until(&self) -> Instant {
        self.until
    }

    /// Asks the body to end.
    pub(crate) fn stop(&self, reason: Stop) {
        let before = self.stop.fetch_max(reason as u8, Ordering::AcqRel);
        // With the fence in `stopped`: who is to be told is seen here, or sees the reason.
        fence(Ordering::SeqCst);
        if before < reason as u8
            && let Some(stopped) = self.stopped.get()
        {
            stopped.notify_waiters();
        }
    }

    /// Why the body is to end.
    pub(crate) fn stop_reason(&self) -> Stop {
        match self.stop.load(Ordering::Acquire) {
            0 => Stop::None,
            1 => Stop::Cancel,
            2 => Stop::Release,
            _ => Stop::Lost,
        }
    }

    /// Whether the body has asked to be told: then it is given a grace.
    pub(crate) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    /// Whether the body looked, and was told that its worker gives it back: then it may have ended for that.
    pub(crate) fn was_told_of_release(&self) -> bool {
        self.was_told.load(Ordering::Acquire) && self.stop_reason() == Stop::Release
    }

    /// Told at each new reason to end. Take the future before looking at the reason.
    pub(crate) fn stopped(&self) -> &Arc<Notify> {
        let stopped = self.stopped.get_or_init(Arc::default);
        fence(Ordering::SeqCst);
        stopped
    }

    /// Takes the right to report that it runs over its time. Only one of slot and vitals gets it, and none after the end.
    pub(crate) fn mark_overdue(&self, as_what: Overdue) -> bool {
        let order = Ordering::AcqRel;
        self.overdue.compare_exchange(Overdue::No as u8, as_what as u8, order, Ordering::Acquire).is_ok()
    }

    /// What was reported; from now on nothing more is.
    pub(crate) fn end(&self) -> Overdue {
        match self.overdue.compare_exchange(
            Overdue::No as u8,
            Overdue::Ended as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Err(1) => Overdue::Retryable,
            Err(2) => Overdue::Final,
            _ => Overdue::No,
        }
    }

    /// The worker ends without it: what it reports from now on is discarded. Answers what was reported before.
    pub(crate) fn abandon(&self) -> Overdue {
        self.stop(Stop::Lost);
        let last = |it| (it != Overdue::Ended as u8).then_some(Overdue::Final as u8);
        match self.overdue.fetch_update(Ordering::AcqRel, Ordering::Acquire, last) {
            Ok(0) => Overdue::No,
            Ok(1) => Overdue::Retryable,
            Ok(_) => Overdue::Final,
            Err(_) => Overdue::Ended,
        }
    }

    /// Its task was given back.
    pub(crate) fn set_given_back(&self) {
        self.given_back.store(true, Ordering::Release);
    }

    /// Whether its task was given back.
    pub(crate) fn is_given_back(&self) -> bool {
        self.given_back.load(Ordering::Acquire)
    }

    /// Whether it was reported as running over its time.
    pub(crate) fn is_overdue(&self) -> bool {
        matches!(self.overdue.load(Ordering::Acquire), 1 | 2)
    }

    /// Ends all children and waits until none runs. None can be started afterwards.
    pub(crate) async fn end_children(self: &Arc<Self>) {
        // Nobody else holds it: whoever could have started a child, or still could, is gone.
        if Arc::strong_count(self) <= self.surroundings.holders {
            fence(Ordering::Acquire);
            if !self.has_children.load(Ordering::Relaxed) {
                return;
            }
        }
        let children = std::mem::replace(&mut *self.children.lock(), Children::Closed);
        if let Children::Some(mut set) = children {
            set.shutdown().await;
        }
    }
}

impl Attempt for RunningAttempt {
    fn info(&self) -> &AttemptInfo {
        &self.info
    }

    fn progress(&self, fraction: f64, message: String) {
        if let Some(progress) = &self.surroundings.progress {
            progress.write(self.held(), fraction, message);
        }
    }

    fn is_cancelled(&self) -> bool {
        let is_cancelled = self.stop_reason() != Stop::None;
        if is_cancelled {
            self.was_told.store(true, Ordering::Release);
        }
        is_cancelled
    }

    fn cancelled(&self) -> BoxFuture<'static, ()> {
        self.listening.store(true, Ordering::Release);
        if self.is_cancelled() {
            return Box::pin(std::future::ready(()));
        }
        let stopped = self.stopped().clone();
        let told = Box::pin(stopped.notified_owned());
        if self.is_cancelled() { Box::pin(std::future::ready(())) } else { told }
    }

    fn spawn(&self, child: BoxFuture<'static, ()>) {
        let child = current::inside(self.inherited(), child).instrument(tracing::Span::current());
        let child = Contained::new(Box::pin(child));
        let mut children = self.children.lock();
        self.has_children.store(true, Ordering::Relaxed);
        match &mut *children {
            Children::Some(set) => {
                set.spawn_on(child, &self.surroundings.runtime);
            }
            Children::None => {
                let mut set = JoinSet::new();
                set.spawn_on(child, &self.surroundings.runtime);
                *children = Children::Some(set);
            }
            // The body has ended; what it left behind may not begin anything.
            Children::Closed => {}
        }
    }
}

/// What is known about the attempt, and its parameters. In line, so that a claim, which is large, is not moved on its way.
#[inline(always)]
fn taken_apart(claimed: Claimed) -> (AttemptInfo, Arc<RawValue>) {
    let info = AttemptInfo {
        id: claimed.id,
        name: claimed.name,
        queue: claimed.queue,
        priority: claimed.priority,
        run: claimed.run,
        attempt: claimed.attempt,
        max_attempts: claimed.max_attempts,
        fence: claimed.fence,
        due: claimed.due,
        created_at: claimed.created_at,
        deadline: claimed.started_at.after(claimed.timeout),
        origin: claimed.label.map(|it| it.origin),
    };
    (info, claimed.params)
}

/// The attempts of one slot, one after the other, in the same piece of memory as long as no body keeps it.
#[derive(Debug)]
pub(crate) struct Attempts {
    surroundings: Arc<Surroundings>,
    last: Option<Arc<RunningAttempt>>,
}

impl Attempts {
    pub(crate) const fn new(surroundings: Arc<Surroundings>) -> Self {
        Self { surroundings, last: None }
    }

    /// The attempt that begins now with the first of a line, and its parameters.
    #[inline(always)]
    pub(crate) fn begin(
        &mut self,
        line: &mut VecDeque<Claimed>,
        began: Instant,
    ) -> Option<(Arc<RunningAttempt>, Arc<RawValue>)> {
        if let Some(mut last) = self.last.take()
            && let Some(attempt) = Arc::get_mut(&mut last)
        {
            let params = attempt.become_next(line.pop_front()?, began);
            return Some((last, params));
        }
        let (attempt, params) = RunningAttempt::new(line.pop_front()?, began, self.surroundings.clone());
        Some((Arc::new(attempt), params))
    }

    /// An attempt that has ended, and that the slot needs no more.
    pub(crate) fn end(&mut self, attempt: Arc<RunningAttempt>) {
        self.last = Some(attempt);
    }
}

/// `from` plus `duration`, or as far as the runtime's timer reaches.
pub(super) fn far(from: Instant, duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);
    from + duration.min(YEAR)
}
