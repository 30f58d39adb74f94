//! What is asked of a queue, and how it is driven: one code for ours, for the raw statements and for every peer. The package
//! of the peers compiles this file too, so it names nothing but the standard library, tokio and serde.

use std::{
    future::Future,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    runtime::Builder,
    sync::Notify,
    time::{sleep, timeout},
};

/// So many bodies may run at once, on every side.
pub(crate) const SLOTS: usize = 500;
/// So many connections a pool may have, on every side.
pub(crate) const CONNECTIONS: u32 = 20;

/// One measurement.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// So many tasks, submitted in batches while idle workers run them; the seconds until all have ended.
    Overlapped { tasks: usize, batch: usize },
    /// So many tasks, submitted in batches; then the workers start. The seconds of either part.
    FillThenDrain { tasks: usize, batch: usize },
    /// One task each from so many submitters that wait for their answer; nothing runs. The seconds of all.
    Submissions { submitters: usize, each: usize },
    /// So many tasks, one after the other, while the workers are idle; the seconds from each one's submission to its start.
    Starts { count: usize },
}

impl Work {
    /// What takes longer hangs.
    const fn patience(self) -> Duration {
        match self {
            Self::Starts { .. } => Duration::from_secs(20),
            _ => Duration::from_secs(120),
        }
    }
}

/// A queue on an empty database of its own.
pub(crate) trait Queue: Sized + Send + Sync + 'static {
    /// Makes its tables; nothing runs yet.
    async fn set_up(url: &str) -> Self;

    /// Submits a task whose body is [`body`], and waits until it is stored.
    fn submit(&self) -> impl Future<Output = ()> + Send;

    /// Submits so many at once.
    async fn submit_many(&self, tasks: usize);

    /// Starts its workers, [`SLOTS`] in number.
    async fn start(&mut self);

    /// Waits until all of the so many tasks that were submitted so far have ended, and their ends are stored.
    async fn ended(&mut self, tasks: usize);

    /// Stops its workers, if they run, and closes its connections.
    async fn stop(self);
}

/// Who wants to know when the measured time begins and ends.
pub(crate) trait Watch {
    /// All is prepared.
    fn begin(&mut self);
    /// All is done; what was measured, in seconds.
    fn end(&mut self, seconds: Vec<f64>);
}

/// Does the work with a fresh queue on a fresh runtime.
pub(crate) fn run<Q: Queue>(work: Work, url: &str, watch: &mut impl Watch) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    BODIES.store(0, Ordering::Release);
    let all = async {
        let queue = Q::set_up(url).await;
        match work {
            Work::Overlapped { tasks, batch } => overlapped(queue, tasks, batch, watch).await,
            Work::FillThenDrain { tasks, batch } => fill_then_drain(queue, tasks, batch, watch).await,
            Work::Submissions { submitters, each } => submissions(queue, submitters, each, watch).await,
            Work::Starts { count } => starts(queue, count, watch).await,
        }
    };
    runtime.block_on(async { timeout(work.patience(), all).await.expect("it ends in time") });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn overlapped<Q: Queue>(mut queue: Q, tasks: usize, batch: usize, watch: &mut impl Watch) {
    queue.start().await;
    queue.submit().await;
    queue.ended(1).await;
    watch.begin();
    let began = Instant::now();
    fill(&queue, tasks, batch).await;
    queue.ended(tasks + 1).await;
    watch.end(vec![began.elapsed().as_secs_f64()]);
    queue.stop().await;
}

async fn fill_then_drain<Q: Queue>(mut queue: Q, tasks: usize, batch: usize, watch: &mut impl Watch) {
    watch.begin();
    let began = Instant::now();
    fill(&queue, tasks, batch).await;
    let filled = began.elapsed();
    queue.start().await;
    queue.ended(tasks).await;
    watch.end(vec![filled.as_secs_f64(), (began.elapsed() - filled).as_secs_f64()]);
    queue.stop().await;
}

async fn fill<Q: Queue>(queue: &Q, tasks: usize, batch: usize) {
    for first in (0..tasks).step_by(batch) {
        queue.submit_many(batch.min(tasks - first)).await;
    }
}

async fn submissions<Q: Queue>(queue: Q, submitters: usize, each: usize, watch: &mut impl Watch) {
    let queue = Arc::new(queue);
    // Its connections are open, and its statements known.
    submit_from(&queue, submitters, 1).await;
    watch.begin();
    let began = Instant::now();
    submit_from(&queue, submitters, each).await;
    watch.end(vec![began.elapsed().as_secs_f64()]);
    Arc::into_inner(queue).expect("nobody else has it").stop().await;
}

async fn submit_from<Q: Queue>(queue: &Arc<Q>, submitters: usize, each: usize) {
    let submit = |queue: Arc<Q>| async move {
        for _ in 0..each {
            queue.submit().await;
        }
    };
    let submitters: Vec<_> = (0..submitters).map(|_| tokio::spawn(submit(Arc::clone(queue)))).collect();
    for it in submitters {
        it.await.expect("a submitter ends");
    }
}

async fn starts<Q: Queue>(mut queue: Q, count: usize, watch: &mut impl Watch) {
    queue.start().await;
    queue.submit().await;
    queue.ended(1).await;
    watch.begin();
    let mut seconds = Vec::with_capacity(count);
    for number in 0..count {
        // All is asleep again. The pauses differ, so that no side's polling keeps step with them.
        sleep(Duration::from_micros(5_000 + 3_700 * number as u64 % 10_000)).await;
        let submitted = now();
        queue.submit().await;
        bodies(number + 2).await;
        seconds.push((STARTED.load(Ordering::Acquire) - submitted) as f64 / 1e9);
    }
    watch.end(seconds);
    queue.stop().await;
}

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
static STARTED: AtomicU64 = AtomicU64::new(0);
static BODIES: AtomicUsize = AtomicUsize::new(0);
static AWAITED: AtomicUsize = AtomicUsize::new(usize::MAX);
static REACHED: Notify = Notify::const_new();

fn now() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The body of every task: it says that it has started.
pub(crate) fn body() {
    STARTED.store(now(), Ordering::Release);
    if BODIES.fetch_add(1, Ordering::SeqCst) + 1 >= AWAITED.load(Ordering::SeqCst) {
        REACHED.notify_one();
    }
}

/// Waits until so many bodies have started, in this work.
pub(crate) async fn bodies(number: usize) {
    AWAITED.store(number, Ordering::SeqCst);
    while BODIES.load(Ordering::SeqCst) < number {
        REACHED.notified().await;
    }
    AWAITED.store(usize::MAX, Ordering::SeqCst);
}
