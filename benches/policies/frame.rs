//! One call after the other, by each contender in turn: on one thread, and on two threads of one runtime.

use std::{
    fmt,
    future::{Future, ready},
    hint::{black_box, spin_loop},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_benches::{Arguments, Better, Case, interleave, median, note};
use tokio::{
    runtime::{Builder, Runtime},
    task::unconstrained,
};

/// Long enough for the clock, short enough that most samples meet no interruption.
const SAMPLE: Duration = Duration::from_millis(1);

/// Short samples are cheap, so there are many of them for each round that was asked for.
const SAMPLES_EACH_ROUND: usize = 7;

/// Several ways to do the same. The first contender is ours, the others are its peers.
pub(crate) struct Group {
    /// The policy and the measurement, as in `cached/hit`.
    pub(crate) name: &'static str,
    /// Sets everything up. Called once for each number of threads.
    pub(crate) contenders: fn() -> Vec<Contender>,
}

/// One way to do it.
pub(crate) struct Contender {
    name: &'static str,
    measure: Box<Measure>,
}

/// The nanoseconds of one call, with so many calls on each of the threads.
type Measure = dyn Fn(&Runtime, Threads, u64) -> Option<f64>;

/// On how many threads at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    Alone,
    Two,
}

impl Threads {
    pub(crate) const ALL: [Self; 2] = [Self::Alone, Self::Two];
}

impl fmt::Display for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alone => "alone",
            Self::Two => "two_threads",
        })
    }
}

/// Two worker threads, whatever the machine has.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

impl Contender {
    /// Calls `operation` with 0, 1, 2, …: a source of keys.
    pub(crate) fn new<F, R>(name: &'static str, operation: F) -> Self
    where
        F: Fn(u64) -> R + Send + Sync + 'static,
        R: Future + Send + 'static,
    {
        let operation = Arc::new(operation);
        let measure = move |runtime: &Runtime, threads: Threads, calls: u64| {
            runtime.block_on(calls_on(threads, calls, operation.clone()))
        };
        Self { name, measure: Box::new(measure) }
    }

    /// The same for a function that is not async.
    #[allow(dead_code, reason = "for those who measure one")]
    pub(crate) fn blocking<F, R>(name: &'static str, operation: F) -> Self
    where
        F: Fn(u64) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Self::new(name, move |it| ready(operation(it)))
    }

    /// How many calls make a sample. The first calls fill caches and make tables grow, so they say nothing of the others: as
    /// many must take so long again.
    fn calibrate(&self, runtime: &Runtime) -> u64 {
        let lasts = |calls| {
            let nanos = (self.measure)(runtime, Threads::Alone, calls).unwrap_or_default();
            Duration::from_nanos((nanos * calls as f64) as u64) >= SAMPLE
        };
        let mut calls = 1_000;
        while !(lasts(calls) && lasts(calls)) {
            calls *= 2;
        }
        calls
    }
}

impl Group {
    /// The names of its cases.
    pub(crate) fn cases(&self, threads: Threads) -> Vec<String> {
        (self.contenders)()[1..].iter().map(|it| self.case(threads, it)).collect()
    }

    /// Measures the selected cases, and prints them.
    pub(crate) fn run(&self, runtime: &Runtime, arguments: &Arguments) {
        for threads in Threads::ALL {
            let wanted = self.wanted(threads, arguments);
            if wanted.is_empty() {
                continue;
            }
            let medians = self.measure(runtime, threads, &wanted, arguments.rounds);
            if arguments.solo.is_some() {
                continue;
            }
            // What could not be measured is not compared.
            let both = |(_, theirs): &(_, &f64)| medians[0].is_finite() && theirs.is_finite();
            for (peer, theirs) in wanted.iter().zip(&medians).skip(1).filter(both) {
                let case = self.case(threads, peer);
                Case::new(&case, medians[0], (peer.name, *theirs), "ns/call", Better::Less).print();
            }
        }
    }

    /// Ours and the selected peers; with `--solo`, that one alone.
    fn wanted(&self, threads: Threads, arguments: &Arguments) -> Vec<Contender> {
        let mut all = (self.contenders)();
        if let Some(solo) = &arguments.solo {
            let selected = all.iter().any(|it| arguments.selects(&self.case(threads, it)));
            all.retain(|it| selected && it.name == solo);
            return all;
        }
        let ours = all.remove(0);
        all.retain(|it| arguments.selects(&self.case(threads, it)));
        if !all.is_empty() {
            all.insert(0, ours);
        }
        all
    }

    /// The medians, in nanoseconds for each call. Not a number where the machine was too busy to run two threads at once.
    pub(crate) fn measure(
        &self,
        runtime: &Runtime,
        threads: Threads,
        contenders: &[Contender],
        rounds: usize,
    ) -> Vec<f64> {
        let mut sources: Vec<Box<dyn FnMut() -> Option<f64> + '_>> = Vec::new();
        for contender in contenders {
            let calls = contender.calibrate(runtime);
            sources.push(Box::new(move || (contender.measure)(runtime, threads, calls)));
        }
        let samples = interleave(rounds * SAMPLES_EACH_ROUND, &mut sources);
        let figures = contenders.iter().zip(samples).map(|(contender, all)| {
            let taken: Vec<_> = all.iter().copied().flatten().collect();
            let middle = if taken.len() < FEWEST { f64::NAN } else { median(taken.iter().copied()) };
            let least = taken.iter().copied().fold(f64::NAN, f64::min);
            let (name, of) = (format!("{} {threads} {}", self.name, contender.name), all.len());
            note(&format!("{name:64} {middle:8.1} ns, least {least:.1}, {} samples of {of}", taken.len()));
            middle
        });
        figures.collect()
    }

    fn case(&self, threads: Threads, peer: &Contender) -> String {
        format!("policies/{}/{threads}/{}", self.name, peer.name)
    }
}

/// How often a sample is taken again when the machine did something else meanwhile.
const TRIES: usize = 20;

/// How many samples there must be for a median.
const FEWEST: usize = 5;

/// Nanoseconds for each call. With two threads, both call nearly all the time: a sample in which they did not is taken again,
/// and is none if that does not help.
async fn calls_on<F, R>(threads: Threads, calls: u64, operation: Arc<F>) -> Option<f64>
where
    F: Fn(u64) -> R + Send + Sync + 'static,
    R: Future + Send + 'static,
{
    for _ in 0..TRIES {
        let gate = Arc::new(Gate::new(threads));
        // Far apart, so that two threads seldom call with the same number.
        let callers = (0..gate.threads as u64).map(|it| call(it * 512, calls, operation.clone(), gate.clone()));
        let callers: Vec<_> = callers.map(|it| tokio::spawn(unconstrained(it))).collect();
        let mut spans = Vec::new();
        for caller in callers {
            spans.push(caller.await.expect("the calls do not panic"));
        }
        let begun = spans.iter().map(|it| it.0);
        let ended = spans.iter().map(|it| it.1);
        let (first, last) = (begun.clone().min(), ended.clone().max());
        let together = ended.min().zip(begun.max()).map_or(Duration::ZERO, |(end, begin)| end.duration_since(begin));
        let whole = last.zip(first).map_or(Duration::MAX, |(end, begin)| end.duration_since(begin));
        if together >= whole.mul_f64(0.7) {
            let each = spans.iter().map(|(begin, end)| (*end - *begin).as_nanos() as f64 / calls as f64);
            return Some(each.sum::<f64>() / gate.threads as f64);
        }
    }
    None
}

async fn call<F, R>(from: u64, calls: u64, operation: Arc<F>, gate: Arc<Gate>) -> (Instant, Instant)
where
    F: Fn(u64) -> R,
    R: Future,
{
    gate.pass();
    let begun = Instant::now();
    for number in from..from + calls {
        black_box(operation(black_box(number)).await);
    }
    (begun, Instant::now())
}

/// Where the callers wait until all are there.
struct Gate {
    threads: usize,
    arrived: AtomicUsize,
}

impl Gate {
    const fn new(threads: Threads) -> Self {
        let threads = match threads {
            Threads::Alone => 1,
            Threads::Two => 2,
        };
        Self { threads, arrived: AtomicUsize::new(0) }
    }

    /// Holds its thread, so that the others must run on other threads.
    fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        while self.arrived.load(Ordering::Acquire) < self.threads {
            spin_loop();
            std::thread::yield_now();
        }
    }
}
