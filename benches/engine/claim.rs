//! What it costs to claim a task when many are queued, beside what it costs when few are.

use std::{ops::RangeInclusive, sync::Arc, time::Instant};

use ddd_benches::{Arguments, Backlog, Better, Case, interleave, median, note};
use ddd_core::MemoryStore;
use tokio::runtime::Builder;

/// Of one priority, tasks lie in memory in the order in which they are claimed; of all 21 in turn, nearly no two that are
/// claimed one after the other are neighbours.
const CASES: [(&str, RangeInclusive<i8>); 2] =
    [("engine/claim/one_priority", 0..=0), ("engine/claim/all_priorities", -10..=10)];

const MANY: usize = 1_000_000;
const FEW: usize = 1_000;

/// How many tasks a claim asks for.
const BATCH: usize = 16;

/// Claims in one sample.
const CLAIMS: usize = 500;

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    CASES.map(|(case, _)| case.to_owned()).into()
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    for (case, priorities) in CASES {
        if arguments.selects(case) {
            compare(case, &priorities, arguments.rounds);
        }
    }
}

fn compare(case: &str, priorities: &RangeInclusive<i8>, rounds: usize) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let backlog = |depth| {
        runtime.block_on(async {
            let mut backlog = Backlog::new(Arc::new(MemoryStore::new())).await;
            backlog.fill(depth, priorities.clone()).await;
            backlog
        })
    };
    let (mut many, mut few) = (backlog(MANY), backlog(FEW));
    let samples = interleave(
        rounds,
        &mut [Box::new(|| runtime.block_on(cost(&mut many))), Box::new(|| runtime.block_on(cost(&mut few)))],
    );
    let [many, few] = [0, 1].map(|it: usize| median(samples[it].iter().copied()));
    note(&format!("{case:24} {many:.0} ns/row of {MANY} queued, {few:.0} ns/row of {FEW} queued"));
    Case::new(case, many, ("ours_1000_queued", few), "ns/row", Better::Less).print();
}

/// Nanoseconds for each row of a claim, in the median.
async fn cost(backlog: &mut Backlog) -> f64 {
    let mut costs = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let request = backlog.request(BATCH);
        let started = Instant::now();
        let claimed = backlog.claim(request).await;
        costs.push(started.elapsed().as_nanos() as f64 / BATCH as f64);
        assert_eq!(claimed.len(), BATCH, "a claim comes back short");
        backlog.replace(claimed).await;
    }
    median(costs)
}
