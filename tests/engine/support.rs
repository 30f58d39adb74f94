//! What the tests share: gauges, gates, seeds, and waits for conditions.

use std::{
    fmt::Debug,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{App, AppBuilder, Clock, TaskId, TaskRecord, TaskStatus, Timestamp, Transitions, ports::Definition};
use tokio::sync::watch;

/// An application in virtual time with these definitions.
pub(crate) fn virtual_app(definitions: &[&'static Definition]) -> AppBuilder {
    ddd_core::testing::builder().definitions(definitions.iter().copied())
}

/// An application in real time with these definitions.
pub(crate) fn real_app(definitions: &[&'static Definition]) -> AppBuilder {
    App::builder().definitions(definitions.iter().copied())
}

/// Awaits something in real time that takes a moment unless the engine is broken.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(40), what).await.expect("it never happened")
}

/// The record of a task that is there.
pub(crate) async fn record(app: &App, id: TaskId) -> TaskRecord {
    app.tasks().get(id).await.unwrap().expect("there is a record")
}

/// Waits until the record of a task is as wanted.
pub(crate) async fn until(app: &App, id: TaskId, wanted: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
    soon(async {
        loop {
            let record = record(app, id).await;
            if wanted(&record) {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
}

/// Waits until a task's run ends, through the stream.
pub(crate) async fn ended(transitions: &mut Transitions, id: TaskId) -> TaskStatus {
    loop {
        let transition = transitions.next().await.unwrap();
        if transition.id == id && transition.is_terminal() {
            return transition.to;
        }
    }
}

/// Counts who is inside, and the most that ever were at once.
#[derive(Clone)]
pub(crate) struct Gauge(Arc<Inside>);

struct Inside {
    now: watch::Sender<usize>,
    most: AtomicUsize,
    entered: AtomicUsize,
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Arc::new(Inside { now: watch::Sender::new(0), most: AtomicUsize::new(0), entered: AtomicUsize::new(0) }))
    }
}

pub(crate) struct Entered(Gauge);

impl Gauge {
    pub(crate) fn enter(&self) -> Entered {
        self.0.now.send_modify(|it| {
            *it += 1;
            self.0.most.fetch_max(*it, Ordering::SeqCst);
            self.0.entered.fetch_add(1, Ordering::SeqCst);
        });
        Entered(self.clone())
    }

    pub(crate) fn now(&self) -> usize {
        *self.0.now.borrow()
    }

    pub(crate) fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    pub(crate) fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    /// Forgets the most that were inside.
    pub(crate) fn reset(&self) {
        self.0.now.send_modify(|it| self.0.most.store(*it, Ordering::SeqCst));
    }

    pub(crate) async fn reaches(&self, count: usize) {
        soon(self.0.now.subscribe().wait_for(|it| *it == count)).await.unwrap();
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.now.send_modify(|it| *it -= 1);
    }
}

/// A gate for threads: closed until opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    /// Blocks the thread until it is open.
    pub(crate) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, Duration::from_secs(60), |it| !*it).unwrap());
    }
}

/// The system's clock, which a test puts forward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skewed(Arc<AtomicI64>);

impl Skewed {
    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap() + self.0.load(Ordering::SeqCst))
    }
}

/// The seed of a round, told if the round fails. `DDD_SEED` sets the first one.
pub(crate) struct Seed(u64);

impl Seed {
    /// The seeds of so many rounds.
    pub(crate) fn rounds(count: u64) -> impl Iterator<Item = Self> {
        let first = std::env::var("DDD_SEED").ok().and_then(|it| it.parse().ok());
        let first = first.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
        (first..first + count).map(Self)
    }

    pub(crate) fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.0)
    }
}

impl Drop for Seed {
    #[allow(clippy::print_stderr, reason = "a failed round is to be repeated")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the round failed with DDD_SEED={}", self.0);
        }
    }
}

/// Asserts that `duration` is `wanted`, up to what the engine itself takes.
pub(crate) fn assert_about(duration: Duration, wanted: Duration, what: &impl Debug) {
    let slack = Duration::from_millis(20);
    assert!(duration >= wanted && duration <= wanted + slack, "{what:?}: {duration:?} instead of {wanted:?}");
}
