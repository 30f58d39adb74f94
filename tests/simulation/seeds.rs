//! Runs seeds, each on a runtime of its own with virtual time.

use std::{
    collections::BTreeMap,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{
        Mutex, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use ddd_tests::kit::bugs::Bug;

use crate::{
    bodies::Planned,
    drive::{self, Outcome},
};

/// The seed that the environment asks for.
pub(crate) fn chosen() -> Option<u64> {
    std::env::var("DDD_SEED").ok()?.parse().ok()
}

/// Panics of bodies that their script wants are not reported.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !info.payload().is::<Planned>() {
                before(info);
            }
        }));
    });
}

/// Runs one seed.
///
/// # Errors
/// What did not hold.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> Result<Outcome, String> {
    hush();
    // What the engine itself draws, such as jitter, is drawn on this thread.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(drive::run(seed, bug))));
    outcome.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        Err(format!(
            "it panicked: {}",
            text.or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
        ))
    })
}

/// What many seeds came to.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) tasks: usize,
    pub(crate) bodies: usize,
    pub(crate) seen: BTreeMap<String, usize>,
    pub(crate) failed: Vec<(u64, String)>,
}

impl Outcomes {
    fn add(&mut self, seed: u64, outcome: Result<Outcome, String>) {
        match outcome {
            Ok(outcome) => {
                self.tasks += outcome.tasks;
                self.bodies += outcome.bodies;
                outcome.seen.into_iter().for_each(|(what, times)| *self.seen.entry(what).or_default() += times);
            }
            Err(problem) => self.failed.push((seed, problem)),
        }
    }
}

/// Runs many seeds on all cores.
pub(crate) fn run_many(seeds: Range<u64>) -> Outcomes {
    let (next, outcomes) = (AtomicU64::new(seeds.start), Mutex::new(Outcomes::default()));
    let (began, count) = (Instant::now(), seeds.end - seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < seeds.end) {
                    let outcome = run(seed, None);
                    outcomes.lock().unwrap().add(seed, outcome);
                }
            });
        }
    });
    let (outcomes, took) = (outcomes.into_inner().unwrap(), began.elapsed());
    println!("{count} seeds, {} tasks, {} bodies in {took:.1?}", outcomes.tasks, outcomes.bodies);
    outcomes
}
