//! What happened under the seeds, counted: a simulation that never gets anywhere near trouble would find nothing, too.

use std::collections::BTreeMap;

use ddd_core::{TaskId, TaskRecord, TaskStatus, ports::Controlled};

use crate::ledger::{Asked, Book, Left};

/// What must have happened under a thousand seeds, and at least how often.
pub(crate) const EXPECTED: [(&str, usize); 26] = [
    ("pending -> running", 10_000),
    ("blocked -> pending", 300),
    ("blocked -> cancelled", 2),
    ("delayed -> pending", 1_000),
    ("delayed -> cancelled", 100),
    ("retrying -> pending", 500),
    ("retrying -> cancelled", 20),
    ("pending -> cancelled", 100),
    ("running -> success", 10_000),
    ("running -> failed", 500),
    ("running -> timeout", 100),
    ("running -> cancelled", 500),
    ("running -> retrying", 500),
    ("running -> delayed", 100),
    ("running -> pending", 500),
    ("success -> pending", 100),
    ("failed -> pending", 20),
    ("end taken", 10_000),
    ("end told twice", 500),
    ("end refused as stale", 100),
    ("a crash counted", 200),
    ("a body dropped", 1_000),
    ("a running task cancelled", 100),
    ("a death of a node", 500),
    ("a tick", 1_000),
    ("a user who waited", 1_000),
];

/// Counts what happened under one seed.
pub(crate) fn seen(book: &Book, records: &BTreeMap<TaskId, TaskRecord>) -> BTreeMap<String, usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: &str, times: usize| *seen.entry(what.to_owned()).or_default() += times;
    for it in &book.transitions {
        count(&format!("{} -> {}", it.from.map_or("new", TaskStatus::as_str), it.to), 1);
    }
    for (what, times) in &book.answers {
        count(what, *times);
    }
    count("a crash counted", records.values().map(|it| it.crashes as usize).sum());
    count("a body dropped", book.ran.iter().filter(|it| it.left == Left::Dropped).count());
    let requested = |it: &&(TaskId, Asked, Controlled)| matches!(it.2, Controlled::Requested { .. });
    count("a running task cancelled", book.controls.iter().filter(requested).count());
    count("a death of a node", book.deaths);
    count("a user who waited", book.waited.len());
    count("a tick", records.values().filter(|it| it.name.as_str() == "tick").count());
    seen
}
