//! How soon a task starts when there is nothing else to do, beside the least that handing work to an idle task can take.

use std::time::{Duration, Instant};

use ddd_benches::percentile;
use tokio::sync::mpsc;

/// Hand-overs in one sample.
const HAND_OVERS: usize = 1_000;

/// Long enough for the worker threads to go to sleep.
const IDLE: Duration = Duration::from_micros(200);

/// Something that starts work.
pub(crate) trait Starter {
    /// Hands over one piece of work; answers how long it took until that started, when it has ended.
    fn start_one(&mut self) -> impl Future<Output = Duration>;
}

/// A tokio channel to a task that waits for it.
pub(crate) struct Channel {
    to_task: mpsc::UnboundedSender<Instant>,
    from_task: mpsc::UnboundedReceiver<Duration>,
}

impl Channel {
    pub(crate) fn new() -> Self {
        let (to_task, mut handed_over) = mpsc::unbounded_channel::<Instant>();
        let (answer, from_task) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(at) = handed_over.recv().await {
                let _ = answer.send(at.elapsed());
            }
        });
        Self { to_task, from_task }
    }
}

impl Starter for Channel {
    async fn start_one(&mut self) -> Duration {
        self.to_task.send(Instant::now()).expect("the task waits");
        self.from_task.recv().await.expect("the task answers")
    }
}

/// The median time of both in nanoseconds; they take turns, and each is first every other time.
pub(crate) async fn sample(ours: &mut impl Starter, peer: &mut impl Starter) -> [f64; 2] {
    let mut times = [Vec::with_capacity(HAND_OVERS), Vec::with_capacity(HAND_OVERS)];
    for turn in 0..2 * HAND_OVERS {
        let index = (turn + turn / 2) % 2;
        // Not the runtime's timer: it would keep a worker thread awake. This thread is the submitter's own.
        std::thread::sleep(IDLE);
        let time = if index == 0 { ours.start_one().await } else { peer.start_one().await };
        times[index].push(time.as_nanos() as f64);
    }
    times.map(|it| percentile(it, 50))
}
