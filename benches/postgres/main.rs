//! The store in PostgreSQL beside raw statements and the peers, on the same server. Run it with
//! `cargo bench -p ddd-benches -- postgres`; `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod database;
mod figures;
mod ours;
mod peers;
mod protocol;
mod raw;
mod raw_rows;
mod side;
mod suite;

use ddd_benches::{Arguments, PostgresServer, note};

fn main() {
    let arguments = Arguments::from_env_of(5);
    let suites = suite::suites();
    if arguments.list {
        let cases = suites.iter().flat_map(suite::Suite::cases);
        cases.filter(|it| arguments.selects(it)).for_each(|it| note(&it));
        return;
    }
    if !suites.iter().flat_map(suite::Suite::cases).any(|it| arguments.selects(&it)) {
        return;
    }
    // As in production: every commit is synced.
    let server = match PostgresServer::start(true) {
        Ok(server) => Box::leak(Box::new(server)),
        Err(error) => return note(&error.to_string()),
    };
    note("every side: one server on this machine, synchronous_commit = on");
    let bench = side::Bench::new(server);
    for suite in suites {
        suite.run(&arguments, &bench);
    }
}
