//! How many tasks per second from submission to the stored result.

use ddd_benches::{Arguments, Better, Case, interleave, median, note};

use super::{apalis, ours, raw};

const BATCH: usize = 100;
const ROWS: [usize; 2] = [2_000, 20_000];

type Run = fn(usize, usize) -> f64;
const SLOW: &str = "apalis_sqlite";
const PEERS: [(&str, Run); 2] = [("raw", raw::end_to_end), (SLOW, apalis::end_to_end)];

fn case(rows: usize, peer: &str) -> String {
    format!("sqlite/end_to_end/{rows}/{peer}")
}

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    ROWS.into_iter().flat_map(|rows| PEERS.map(|peer| case(rows, peer.0))).collect()
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    for rows in ROWS {
        for (name, peer) in PEERS.into_iter().filter(|it| arguments.selects(&case(rows, it.0))) {
            let mut sources: Vec<Box<dyn FnMut() -> f64>> =
                vec![Box::new(move || ours::end_to_end(rows, BATCH)), Box::new(move || peer(rows, BATCH))];
            // Minutes for one sample: more of them would tell nothing that the ratio does not.
            let rounds = if name == SLOW && rows > ROWS[0] { 1 } else { arguments.rounds };
            let samples = interleave(rounds, &mut sources);
            let [mine, theirs] = [0, 1].map(|it| median(samples[it].iter().copied()));
            note(&format!("{rows} rows: ours {mine:.0}/s, {name} {theirs:.0}/s"));
            Case::new(&case(rows, name), mine, (name, theirs), "tasks/s", Better::More).print();
        }
    }
}
