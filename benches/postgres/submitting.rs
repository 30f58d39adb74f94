//! How many single submissions per second.

use ddd_benches::{Arguments, Better, Case, PostgresServer, interleave, median, note};

use super::{ours, raw};

const SUBMITTERS: [(usize, usize); 2] = [(1, 500), (16, 150)];

fn case(submitters: usize) -> String {
    format!("postgres/single_submissions/{submitters}/raw_inserts")
}

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    SUBMITTERS.map(|it| case(it.0)).into()
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments, server: &'static PostgresServer) {
    for (submitters, each) in SUBMITTERS.into_iter().filter(|it| arguments.selects(&case(it.0))) {
        let mut sources: Vec<Box<dyn FnMut() -> f64>> = vec![
            Box::new(move || ours::submissions(server, submitters, each)),
            Box::new(move || raw::inserts(server, submitters, each)),
        ];
        let samples = interleave(arguments.rounds, &mut sources);
        let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
        note(&format!("{submitters} submitters: ours {mine:.0}/s, raw inserts {theirs:.0}/s"));
        Case::new(&case(submitters), mine, ("raw_inserts", theirs), "tasks/s", Better::More).print();
    }
}
