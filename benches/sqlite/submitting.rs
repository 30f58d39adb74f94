//! How many single submissions per second, and how soon a task starts.

use std::time::Duration;

use ddd_benches::{Arguments, Better, Case, interleave, median, note};

use super::{ours, raw};

const SUBMITTERS: [(usize, usize); 2] = [(1, 300), (64, 60)];
const STARTS: usize = 200;
const START: &str = "sqlite/submit_to_start_p50/raw_commit";

fn case(submitters: usize) -> String {
    format!("sqlite/single_submissions/{submitters}/raw_group_commit")
}

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    SUBMITTERS.map(|it| case(it.0)).into_iter().chain([START.to_owned()]).collect()
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    for (submitters, each) in SUBMITTERS.into_iter().filter(|it| arguments.selects(&case(it.0))) {
        let mut sources: Vec<Box<dyn FnMut() -> f64>> = vec![
            Box::new(move || ours::submissions(submitters, each)),
            Box::new(move || raw::group_commit(submitters, each)),
        ];
        let samples = interleave(arguments.rounds, &mut sources);
        let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
        note(&format!("{submitters} submitters: ours {mine:.0}/s, raw group commit {theirs:.0}/s"));
        Case::new(&case(submitters), mine, ("raw_group_commit", theirs), "tasks/s", Better::More).print();
    }
    if arguments.selects(START) {
        let p50 = |times: Vec<Duration>| median(times.iter().map(|it| it.as_secs_f64() * 1e3));
        let mut sources: Vec<Box<dyn FnMut() -> f64>> =
            vec![Box::new(move || p50(ours::starts(STARTS))), Box::new(move || p50(raw::commits(STARTS)))];
        let samples = interleave(arguments.rounds, &mut sources);
        let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
        note(&format!("submit to start {mine:.3} ms, one raw commit {theirs:.3} ms"));
        Case::new(START, mine, ("raw_commit", theirs), "ms", Better::Less).print();
    }
}
