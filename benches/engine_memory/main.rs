//! What a queued task takes in memory. A target of its own, because its allocator counts, and counting costs time.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

use std::{alloc::System, sync::Arc};

use ddd_benches::{Arguments, Backlog, Better, Case, note};
use ddd_core::MemoryStore;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CASE: &str = "engine/memory/1000000_queued";
const TASKS: usize = 1_000_000;

/// What a queued task may take beside the JSON of its parameters.
const LIMIT: f64 = 500.0;

fn main() {
    let arguments = Arguments::from_env();
    if !arguments.selects(CASE) {
        return;
    }
    if arguments.list {
        note(CASE);
        return;
    }
    // Allocations are counted, not timed: one run is exact.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (each, _kept) = runtime.block_on(async {
        let mut backlog = Backlog::new(Arc::new(MemoryStore::new())).await;
        let before = live();
        let params = backlog.fill(TASKS, -10..=10).await;
        ((live() - before - params as f64) / TASKS as f64, backlog)
    });
    note(&format!("memory                   {each:.0} live bytes for each of {TASKS} queued, parameters not counted"));
    Case::new(CASE, each, ("limit", LIMIT), "bytes/task", Better::Less).print();
}

/// Bytes that are allocated now.
fn live() -> f64 {
    let counted = ALLOCATOR.stats();
    counted.bytes_allocated as f64 - counted.bytes_deallocated as f64
}
