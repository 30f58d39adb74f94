//! Submitters are killed in the middle of their calls.

use std::collections::{BTreeMap, BTreeSet};

use ddd_core::TaskId;
use serde::Deserialize;

use crate::{
    checker::{is_whole, results_are_of_the_last_claim},
    ledger::What,
    options::Options,
    scene::{Process, Scene},
};

#[derive(Deserialize)]
struct Params {
    number: u32,
}

/// Kills a submitter again and again, each time after some more calls. One that submits alone has a successor that says the last
/// unanswered submission again, under its key.
///
/// # Errors
/// What did not hold.
pub(crate) async fn submitters(scene: &mut Scene, kills: u32, batch: u32) -> Result<String, String> {
    let mut random = fastrand::Rng::new();
    let mut next = 0;
    for kill in 0..kills {
        let options =
            Options { role: "submit".to_owned(), from: next, count: 1_000_000, batch, ..scene.options.clone() };
        let mut submitter = Process::start(&options);
        let (pid, answers) = (submitter.pid, random.usize(1..40));
        let acknowledged = |it: &crate::ledger::Reader| {
            it.events.iter().filter(|it| it.pid == pid && matches!(it.what, What::Acknowledged(..))).count()
        };
        scene.until("some answers", |it| acknowledged(it) >= answers).await?;
        // Anywhere within a call: one takes some milliseconds.
        tokio::time::sleep(std::time::Duration::from_micros(random.u64(..8_000))).await;
        submitter.kill();
        let tried = scene.ledger.read().events.iter().filter_map(|it| match it.what {
            What::Trying(number) => Some(number),
            _ => None,
        });
        let last = tried.max().ok_or("nothing was tried")?;
        next = if batch == 1 && kill + 1 < kills { last } else { last + 1 };
    }
    let _worker = scene.start("work");
    scene.settle(scene.patience).await?;
    let records = scene.records().await;
    let mut numbers: BTreeMap<u32, Vec<TaskId>> = BTreeMap::new();
    for record in records.values() {
        let params: Params = serde_json::from_str(record.params.get()).map_err(|it| it.to_string())?;
        numbers.entry(params.number).or_default().push(record.id);
    }
    let (mut tried, mut known) = (BTreeSet::new(), BTreeMap::new());
    for event in &scene.ledger.read().events {
        match event.what {
            What::Trying(number) => drop(tried.insert(number)),
            What::Acknowledged(number, id) if known.insert(number, id).is_some_and(|it| it != id) => {
                return Err(format!("number {number} was acknowledged as two tasks"));
            }
            What::Refused(number, _) => return Err(format!("number {number} was refused")),
            _ => {}
        }
    }
    for (number, id) in &known {
        if numbers.get(number).is_none_or(|it| *it != [*id]) {
            return Err(format!("number {number} was acknowledged as {id}; there is {:?}", numbers.get(number)));
        }
    }
    if let Some(number) = numbers.keys().find(|it| !tried.contains(it)) {
        return Err(format!("number {number} is there, and was not submitted"));
    }
    if let Some((number, ids)) = numbers.iter().find(|it| it.1.len() > 1) {
        return Err(format!("number {number} is there {} times", ids.len()));
    }
    results_are_of_the_last_claim(&records, &scene.ledger)?;
    is_whole(&scene.options.store)?;
    let unanswered = tried.len() - known.len();
    let present = numbers.len() - known.len();
    Ok(format!(
        "{} tried, {} acknowledged, {present} of {unanswered} unanswered ones are there",
        tried.len(),
        known.len()
    ))
}
