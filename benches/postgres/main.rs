//! The store in PostgreSQL beside raw statements on the same server. Run it with `cargo bench -p ddd-benches -- postgres`;
//! `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod end_to_end;
mod ours;
mod raw;
mod starting;
mod submitting;

use ddd_benches::{Arguments, PostgresServer, note};

/// What belongs together: the names of its cases, and how they are run.
type Suite = (fn() -> Vec<String>, fn(&Arguments, &'static PostgresServer));

const SUITES: [Suite; 3] =
    [(end_to_end::cases, end_to_end::run), (submitting::cases, submitting::run), (starting::cases, starting::run)];

fn main() {
    let arguments = Arguments::from_env();
    if arguments.list {
        let cases = SUITES.iter().flat_map(|it| (it.0)());
        cases.filter(|it| arguments.selects(it)).for_each(|it| note(&it));
        return;
    }
    if !SUITES.iter().flat_map(|it| (it.0)()).any(|it| arguments.selects(&it)) {
        return;
    }
    // As in production: every commit is synced.
    let server = match PostgresServer::start(true) {
        Ok(server) => Box::leak(Box::new(server)),
        Err(error) => return note(&error.to_string()),
    };
    note("every side: one server on this machine, synchronous_commit = on");
    for (_, run) in SUITES {
        run(&arguments, server);
    }
}
