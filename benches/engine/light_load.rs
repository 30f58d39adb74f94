//! How soon a task starts when there is nothing else to do, beside the least that handing work to an idle task can take.

use std::time::{Duration, Instant};

use ddd_benches::{Arguments, Better, Case, median, note, percentile};
use tokio::sync::mpsc;

use super::{ours::Submitter, protocol, starter::Starter};

const CASE: &str = "engine/light_load/channel";

/// Hand-overs in one sample.
const HAND_OVERS: usize = 1_000;

/// Long enough for the worker threads to go to sleep.
const IDLE: Duration = Duration::from_micros(200);

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
async fn sample(ours: &mut impl Starter, peer: &mut impl Starter) -> [f64; 2] {
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

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    vec![CASE.to_owned()]
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    if !arguments.selects(CASE) {
        return;
    }
    let runtime = protocol::runtime();
    let samples = runtime.block_on(async {
        let (mut ours, mut channel) = (Submitter::new().await, Channel::new());
        let mut samples = Vec::with_capacity(arguments.rounds);
        for _ in 0..arguments.rounds {
            samples.push(sample(&mut ours, &mut channel).await);
        }
        ours.end().await;
        samples
    });
    let [ours, channel] = [0, 1].map(|side: usize| median(samples.iter().map(|it| it[side])));
    note(&format!("light load               ours {ours:.0} ns, channel {channel:.0} ns"));
    Case::new(CASE, ours, ("tokio_mpsc", channel), "ns", Better::Less).print();
}
