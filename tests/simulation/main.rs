//! The whole engine on virtual time, over a store that has every kind of trouble: nothing is lost, nothing is done twice that
//! may be done once, and nothing waits for ever.
//!
//! Every seed is another workload and another trouble, and runs the same again: `DDD_SEED=… cargo test -p ddd-tests --test
//! simulation` repeats one.

#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures and seeds are printed")]

mod bodies;
mod chance;
mod checker;
mod coverage;
mod drive;
mod ledger;
mod node;
mod seeds;
mod witness;

use ddd_tests::kit::bugs::Bug;

use crate::{
    coverage::EXPECTED,
    seeds::{chosen, run, run_many},
};

#[test]
fn what_goes_in_comes_out_under_every_seed() {
    if let Some(seed) = chosen() {
        println!("seed {seed}: {:?}", run(seed, None).unwrap_or_else(|problem| panic!("{problem}")));
        return;
    }
    let seeds = if std::env::var_os("DDD_NIGHTLY").is_some() { 20_000 } else { 1_000 };
    let outcomes = run_many(0..seeds);
    for (seed, problem) in outcomes.failed.iter().take(5) {
        eprintln!("DDD_SEED={seed}: {problem}");
    }
    assert!(outcomes.failed.is_empty(), "{} of {seeds} seeds failed; repeat one with DDD_SEED", outcomes.failed.len());
    for (what, times) in &outcomes.seen {
        println!("{times:>8} {what}");
    }
    for (what, least) in EXPECTED {
        let times = outcomes.seen.get(what).copied().unwrap_or_default();
        assert!(times >= least, "`{what}` happened {times} times; the simulation is to see it {least} times");
    }
}

#[test]
fn a_seed_runs_the_same_again() {
    for seed in 0..20 {
        assert_eq!(run(seed, None), run(seed, None), "seed {seed}");
    }
}

/// A mistake of the store is found within so many seeds.
#[test]
fn every_mistake_of_a_store_is_found() {
    const SEEDS: u64 = 200;
    for bug in Bug::ALL {
        let found = (0..SEEDS).find_map(|seed| Some((seed, run(seed, Some(bug)).err()?)));
        let Some((seed, problem)) = found else { panic!("{bug:?} was not found under {SEEDS} seeds") };
        let problem = problem.lines().next().unwrap_or_default();
        println!("{bug:?} is found under seed {seed}: {problem}");
    }
}
