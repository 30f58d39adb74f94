//! The task engine beside its peers. Run it with `cargo bench -p ddd-benches -- engine`; `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod apalis;
mod claim;
mod floor;
mod ids;
mod light_load;
mod ours;
mod protocol;
mod starter;
mod throughput;

use ddd_benches::{Arguments, note};

/// What belongs together: the names of its cases, and how they are run.
type Suite = (fn() -> Vec<String>, fn(&Arguments));

const SUITES: [Suite; 3] =
    [(throughput::cases, throughput::run), (light_load::cases, light_load::run), (claim::cases, claim::run)];

fn main() {
    let arguments = Arguments::from_env();
    for (cases, run) in SUITES {
        if arguments.list {
            cases().iter().filter(|it| arguments.selects(it)).for_each(|it| note(it));
        } else {
            run(&arguments);
        }
    }
}
