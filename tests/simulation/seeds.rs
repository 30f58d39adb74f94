//! Runs seeds, each on a runtime of its own with virtual time.

use std::{
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

/// Runs many seeds on all cores; answers with those that failed.
pub(crate) fn run_many(seeds: Range<u64>, bug: Option<Bug>) -> Vec<(u64, String)> {
    let (next, failed, totals) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()), Mutex::new((0, 0)));
    let (began, count) = (Instant::now(), seeds.end - seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|it| *it < seeds.end) {
                    match run(seed, bug) {
                        Ok(outcome) => {
                            let mut totals = totals.lock().unwrap();
                            *totals = (totals.0 + outcome.tasks, totals.1 + outcome.bodies);
                        }
                        Err(problem) => failed.lock().unwrap().push((seed, problem)),
                    }
                }
            });
        }
    });
    let ((tasks, bodies), took) = (totals.into_inner().unwrap(), began.elapsed());
    println!("{count} seeds, {tasks} tasks, {bodies} bodies in {took:.1?}");
    failed.into_inner().unwrap()
}
