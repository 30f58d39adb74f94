use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use super::{
    BoxFuture, Capabilities, ClaimRequest, Claims, Clock, Control, Controlled, Declaration, Enqueued, Finish, Finished,
    Heartbeat, NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, StoreError,
    StorePlace, StoreSettings, Watcher, WorkerState,
};
use crate::domain::{
    Cursor, Fence, Filter, Name, Page, Statistics, TaskId, TaskRecord, TaskSummary, Timestamp, Transition,
};

/// What a store's methods return. It borrows nothing: the caller polls it once in place, and moves it to a task of its own
/// if it is pending, so that no call is ever dropped half-way. Submissions to a store that [goes on by
/// itself](TaskStore::goes_on) are left where they are.
pub type StoreFuture<T> = BoxFuture<'static, Result<T, StoreError>>;

/// Where tasks are kept.
///
/// The port is batch-first: every write takes an owned batch and answers for each item in order. Every write is
/// idempotent: told twice, it is done once and answers so. What a worker writes about a task is fenced: it takes effect
/// only while the task is `running` under the same [`Fence`], and is answered [`Finished::Stale`] otherwise, never with an
/// error. Stores read time from their own clock, so that workers with wrong clocks cannot steal each other's leases.
///
/// `store_conformance!` in `ddd_core::testing` is this contract as tests.
pub trait TaskStore: Send + Sync + 'static {
    /// A word for logs and figures, such as `memory`.
    fn kind(&self) -> &'static str;

    /// Which store it is: what a connection that takes tasks along asks, so that they do not go elsewhere. A layer before another
    /// store answers for that.
    fn place(&self) -> StorePlace {
        StorePlace::of_kind(self.kind())
    }

    /// What this store can do beyond the contract.
    fn capabilities(&self) -> Capabilities;

    /// Whether [`TaskStore::enqueue`] goes on by itself once its future was polled, whoever drops that future. Then a submission gets
    /// no task of its own, which saves the way from there to the submitter. The application's runtime is entered for the first poll
    /// only: later ones come from wherever the answer is awaited, another runtime or none at all. A layer before another store says so
    /// only if it does nothing after that store's answer.
    fn goes_on(&self) -> bool {
        false
    }

    /// Sets bounds and the settings of queues. Called at start-up, and again when settings change; queues that are not
    /// named keep theirs. What is submitted after the answer keeps to the new bounds, whichever process submits it.
    fn configure(&self, settings: StoreSettings) -> StoreFuture<()>;

    /// Stores new tasks. A task whose id is already there counts as created (the call was repeated); a full queue and
    /// a unique key that is taken are answers, not errors. No submission makes more tasks wait in a queue than its depth,
    /// whatever they wait for; one that was accepted may always come back, for a retry or from a worker that died.
    ///
    /// A submission with an idempotency key that was answered with a task is remembered for the key's time, in the same
    /// transaction, whatever becomes of the task: the same again is [`Enqueued::Replayed`], another fingerprint under that key
    /// [`Enqueued::KeyReused`]. A full queue is not remembered. The idempotency key is asked
    /// before the unique key and the queue.
    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>>;

    /// Stores one task at once, without a future: for stores that have nobody to wait for. Takes the task out if it does.
    /// `None`, which is what other stores answer, leaves it to be stored by [`TaskStore::enqueue`].
    ///
    /// `now` is the present instant, if the caller has just read it off the store's own [`clock`](TaskStore::clock).
    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        let _ = (task, now);
        None
    }

    /// The clock that the store goes by, if it is one of this process: who reads the time off the same need not do so twice.
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        None
    }

    /// Hands out ready tasks in the order of their rank, each with a higher fence and a lease. Due tasks among the
    /// delayed, retrying and blocked become ready first. Respects paused queues, their concurrency and rate limits, and
    /// what the worker knows.
    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims>;

    /// Ends attempts. One call may hold many.
    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>>;

    /// Ends attempts and hands out the next tasks, as [`TaskStore::finish`] and then [`TaskStore::claim`] would, in one step and at
    /// once: for stores that have nobody to wait for. `None`, which is what other stores answer, means that neither was done.
    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        let _ = (finishes, request);
        None
    }

    /// Renews the leases of what a worker holds, and its own sign of life. Answers with what it must know: which of them
    /// were cancelled, and which it has lost.
    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>>;

    /// Stores how far running tasks are. Stale reports are dropped.
    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>>;

    /// Upkeep, at most `max` rows of each kind: makes due tasks ready, takes tasks back from workers whose lease ran out,
    /// parks what no live worker knows, drops what is past its retention.
    ///
    /// A task whose lease ran out counts a crash, unless its worker has given a sign of life that ends later than that lease
    /// and so did not name it: then the worker lives and never learned of the claim. Claims are no such signs.
    fn reap(&self, max: usize) -> StoreFuture<Reaped>;

    /// Makes a worker and what it knows known; tasks that were parked for want of it become ready.
    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped>;

    /// Forgets a worker that ended in order.
    fn withdraw(&self, worker: crate::domain::WorkerId) -> StoreFuture<()>;

    /// Changes tasks or queues on a user's behalf. One answer for each id, in order; empty for queues.
    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>>;

    /// Records by id, in order; `None` for those unknown.
    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>>;

    /// The tasks that a filter means, in short, newest submission first, at most `limit` from the cursor on.
    ///
    /// It reads nothing large: neither parameters nor results, and of the errors only the newest. Nor does it search for long: a
    /// store that has looked at many tasks that are not meant (some thousands, for some tens of milliseconds) answers with what it has
    /// found, which may be nothing, and with a cursor from which the search goes on. Who needs all, or a full page, asks again as
    /// long as there is a cursor. After a search that was cut off the cursor may lead to nothing more; else only a page with a
    /// next one has a cursor. A filter of ids is not cut off.
    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>>;

    /// Where tasks are, by id, in order; `None` for those unknown. A count of the tasks before a pending one stops at `most`.
    ///
    /// Asked for after submissions, so it must cost about as much as one. Where that takes it, a count above 64 may include
    /// tasks that have left the queue without being claimed.
    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>>;

    /// Figures about all tasks.
    fn statistics(&self) -> StoreFuture<Statistics>;

    /// The queues that were ever configured or used.
    fn queues(&self) -> StoreFuture<Vec<QueueState>>;

    /// The workers that are alive.
    fn workers(&self) -> StoreFuture<Vec<WorkerState>>;

    /// Changes or fires schedules; answers with the schedules that the command was about, as they now are.
    ///
    /// [`ScheduleCommand::Fire`] is a compare-and-set on the tick: of many processes that fire it, one submits the task,
    /// in the same transaction as the schedule's next tick is written.
    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>>;

    /// Tells `watcher` when the task's run ends; at once if it has ended. A hint like all others: a store that does not see the
    /// ends of other processes may do nothing.
    ///
    /// A watcher that nobody but the store holds any more may be dropped untold.
    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>);

    /// Tells `sink` from now on, as long as it lives: every transition, in order, and hints. Hints may be lost or
    /// repeated: polling is the truth.
    fn attach(&self, sink: Weak<dyn SignalSink>);

    /// Tells of all that was submitted, where that is put off (see [`SignalSink::is_waiting`]). Other stores have nothing to do.
    fn settle(&self) {}

    /// Somebody in this process wants to hear soon of what other processes do. A hint: a store whose processes tell each other
    /// sees to it that this one is told for the next second or longer, and others have nothing to do.
    fn attend(&self, to: Attention) {
        let _ = to;
    }

    /// The same store over a connection of its own, for heartbeats: a busy pool must not delay them.
    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>>;
}

/// Takes what a store tells a process. Its methods must return at once and must not call the store.
pub trait SignalSink: Send + Sync {
    /// A task's life changed. Called in the order of the changes, each exactly once where the store can tell, and perhaps
    /// under a lock of the store's: it only notes the transition. Answers whether somebody waits for it; then
    /// [`Signal::Recorded`] follows outside that lock.
    fn record(&self, transition: &Transition) -> bool;

    /// Several changes at once, in their order: what a store does that makes many under one lock.
    fn record_all(&self, transitions: &[Transition]) -> bool {
        transitions.iter().fold(false, |is_waited_for, it| self.record(it) | is_waited_for)
    }

    /// The same, for a sink that may have them: nothing is left in `transitions`.
    fn take_all(&self, transitions: &mut VecDeque<Transition>) -> bool {
        let is_waited_for = self.record_all(transitions.make_contiguous());
        transitions.clear();
        is_waited_for
    }

    /// Whether somebody waits to be told: a slot without work, a subscriber that sleeps. While nobody does, a store may put off
    /// telling of a submission until any of its other methods is called. It must return at once and must not call the store.
    fn is_waiting(&self) -> bool {
        true
    }

    /// Something happened that is worth a look.
    fn signal(&self, signal: Signal);

    /// Whether anybody has subscribed to transitions. As long as nobody has, a store does not ask other processes for theirs.
    fn is_subscribed(&self) -> bool {
        false
    }

    /// So many transitions of other processes will not come, or one if nobody knows how many.
    fn missed(&self, count: u64) {
        let _ = count;
    }
}

/// What somebody in a process wants to hear of other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attention {
    /// Ends of runs: a handle waits for a result.
    Ends,
    /// All transitions: somebody has subscribed to them.
    Transitions,
}

/// A hint from a store to a worker or a handle.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Signal {
    /// So many tasks became ready in this queue.
    Ready {
        /// The queue.
        queue: Name,
        /// How many.
        count: usize,
    },
    /// A running task was cancelled.
    Cancel {
        /// The task.
        id: TaskId,
        /// The claim that was running when it was cancelled.
        fence: Fence,
    },
    /// A lease was lost: someone else may run the task.
    Lost {
        /// The task.
        id: TaskId,
        /// The claim that is no longer valid.
        fence: Fence,
    },
    /// Transitions were recorded: subscribers may be woken.
    Recorded,
}
