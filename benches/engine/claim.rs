//! What it costs to claim a task when many are queued, beside what it costs when few are.

use std::{sync::Arc, time::Instant};

use ddd_benches::{Arguments, Backlog, Better, Case, interleave, median, note};
use ddd_core::MemoryStore;
use tokio::runtime::Builder;

const CASE: &str = "engine/claim/1000000_queued";
const MANY: usize = 1_000_000;
const FEW: usize = 1_000;

/// As many as a worker asks for in one call.
const BATCH: usize = 16;

/// Claims in one sample.
const CLAIMS: usize = 500;

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    vec![CASE.to_owned()]
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    if !arguments.selects(CASE) {
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let backlog = |depth| {
        runtime.block_on(async {
            let mut backlog = Backlog::new(Arc::new(MemoryStore::new())).await;
            backlog.fill(depth).await;
            backlog
        })
    };
    let (mut many, mut few) = (backlog(MANY), backlog(FEW));
    let samples = interleave(
        arguments.rounds,
        &mut [
            Box::new(|| runtime.block_on(cost(&mut many))),
            Box::new(|| runtime.block_on(cost(&mut few))),
        ],
    );
    let [many, few] = [0, 1].map(|it: usize| median(samples[it].iter().copied()));
    note(&format!("claim                    {many:.0} ns/row of {MANY} queued, {few:.0} ns/row of {FEW} queued"));
    Case::new(CASE, many, ("ours_1000_queued", few), "ns/row", Better::Less).print();
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
