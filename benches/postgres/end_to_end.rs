//! How many tasks per second from submission to the stored result.

use ddd_benches::{Arguments, Better, Case, PostgresServer, interleave, median, note};

use super::{ours, raw};

const BATCH: usize = 100;
const ROWS: usize = 20_000;
const CASE: &str = "postgres/end_to_end/20000/raw";

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    vec![CASE.to_owned()]
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments, server: &'static PostgresServer) {
    if !arguments.selects(CASE) {
        return;
    }
    let mut sources: Vec<Box<dyn FnMut() -> f64>> = vec![
        Box::new(move || ours::end_to_end(server, ROWS, BATCH)),
        Box::new(move || raw::end_to_end(server, ROWS, BATCH)),
    ];
    let samples = interleave(arguments.rounds, &mut sources);
    let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
    note(&format!("{ROWS} rows in batches of {BATCH}: ours {mine:.0}/s, raw {theirs:.0}/s"));
    Case::new(CASE, mine, ("raw", theirs), "tasks/s", Better::More).print();
}
