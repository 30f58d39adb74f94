//! The store in an SQLite file beside raw SQLite and a peer. Run it with `cargo bench -p ddd-benches -- sqlite`;
//! `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod apalis;
mod end_to_end;
mod file;
mod ours;
mod raw;
mod submitting;

use ddd_benches::{Arguments, note};

/// What belongs together: the names of its cases, and how they are run.
type Suite = (fn() -> Vec<String>, fn(&Arguments));

const SUITES: [Suite; 2] = [(end_to_end::cases, end_to_end::run), (submitting::cases, submitting::run)];

fn main() {
    let arguments = Arguments::from_env();
    note("every side: write-ahead log, synchronous = FULL");
    for (cases, run) in SUITES {
        if arguments.list {
            cases().iter().filter(|it| arguments.selects(it)).for_each(|it| note(it));
        } else {
            run(&arguments);
        }
    }
}
