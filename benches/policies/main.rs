//! What a policy costs for each call, beside its peers. Run it with `cargo bench -p ddd-benches -- policies`;
//! `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod cached;
mod circuit_breaker;
mod frame;
mod limits;
mod retry;
mod stacked;

use ddd_benches::{Arguments, note};

use frame::{Group, Threads};

/// The measurements of each policy, in a module of its own.
const GROUPS: &[&[Group]] = &[cached::GROUPS, circuit_breaker::GROUPS, limits::GROUPS, retry::GROUPS];

fn main() {
    let arguments = Arguments::from_env();
    let runtime = frame::runtime();
    for group in GROUPS.iter().copied().flatten() {
        if arguments.list {
            let cases = Threads::ALL.iter().flat_map(|it| group.cases(*it));
            cases.filter(|it| arguments.selects(it)).for_each(|it| note(&it));
        } else {
            group.run(&runtime, &arguments);
        }
    }
    if arguments.list {
        stacked::cases().iter().filter(|it| arguments.selects(it)).for_each(|it| note(it));
    } else {
        stacked::run(&runtime, &arguments);
    }
}
