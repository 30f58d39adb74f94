//! How soon a task starts.

use std::time::Duration;

use ddd_benches::{Arguments, Better, Case, PostgresServer, interleave, median, note, percentile};

use super::{ours, raw};

const STARTS: usize = 200;
const P50: &str = "postgres/submit_to_start_p50/raw_commit";
const P99: &str = "postgres/submit_to_start_p99/raw_commit";

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    vec![P50.to_owned(), P99.to_owned()]
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments, server: &'static PostgresServer) {
    let millis = |times: Vec<Duration>| times.into_iter().map(|it| it.as_secs_f64() * 1e3).collect::<Vec<_>>();
    for (case, rank) in [(P50, 50), (P99, 99)].into_iter().filter(|it| arguments.selects(it.0)) {
        let mut sources: Vec<Box<dyn FnMut() -> f64>> = vec![
            Box::new(move || percentile(millis(ours::starts(server, STARTS)), rank)),
            Box::new(move || percentile(millis(raw::commits(server, STARTS)), rank)),
        ];
        let samples = interleave(arguments.rounds, &mut sources);
        let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
        note(&format!("{case}: ours {mine:.3} ms, one raw commit {theirs:.3} ms"));
        Case::new(case, mine, ("raw_commit", theirs), "ms", Better::Less).print();
    }
}
