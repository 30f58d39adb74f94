//! What must hold after processes were killed, whatever they did: what went in comes out, and nothing else does.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ddd_core::{FailureKind, TaskId, TaskRecord, TaskStatus, domain::Fence};

use crate::ledger::{Event, Reader, What};

/// A process that was killed or stopped: when, and what it ran then.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub(crate) pid: u32,
    pub(crate) at: u128,
    pub(crate) running: BTreeSet<(TaskId, Fence)>,
}

/// What a check found, in figures.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "they are printed")]
pub(crate) struct Figures {
    pub(crate) tasks: usize,
    pub(crate) deaths: usize,
    /// Bodies that ran when their processes died.
    pub(crate) running: usize,
    /// Tasks among them that failed, because it was their third death.
    pub(crate) failed: usize,
    /// Bodies that had returned then, and whose ends were not stored yet; and how long before the death the first had.
    pub(crate) unwritten: usize,
    pub(crate) unwritten_for: Duration,
    /// Bodies that started for a task that had started before.
    pub(crate) again: usize,
    /// How long after a death its bodies started again: the median, and the longest.
    pub(crate) median: Duration,
    pub(crate) longest: Duration,
}

type Records = BTreeMap<TaskId, TaskRecord>;

/// The starts of each task, in the order of the ledger.
fn starts(events: &[Event]) -> BTreeMap<TaskId, Vec<(Fence, &Event)>> {
    let mut starts: BTreeMap<TaskId, Vec<(Fence, &Event)>> = BTreeMap::new();
    for event in events {
        if let What::Started(id, fence) = event.what {
            starts.entry(id).or_default().push((fence, event));
        }
    }
    starts
}

/// Nothing lost, nothing invented, every result from the body that held the task last.
///
/// # Errors
/// The first thing that does not hold.
///
/// A task may have failed only by the rule for tasks that kill their workers: if its body started in three processes that died.
pub(crate) fn nothing_is_lost(
    acknowledged: &[TaskId],
    records: &Records,
    ledger: &Reader,
    deaths: &[Death],
) -> Result<(), String> {
    let acknowledged: BTreeSet<_> = acknowledged.iter().copied().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|it| !records.contains_key(it)).collect();
    if let Some(id) = lost.first() {
        return Err(format!("lost: {} tasks that were acknowledged are not there, such as {id}", lost.len()));
    }
    let invented = records.keys().filter(|it| !acknowledged.contains(it)).count();
    if invented > 0 {
        return Err(format!("invented: {invented} tasks are there that nobody was told of"));
    }
    let starts = starts(&ledger.events);
    for record in records.values().filter(|it| it.status != TaskStatus::Success) {
        let died_with = starts.get(&record.id).map_or(0, |it| {
            let pids: BTreeSet<_> = it.iter().map(|(_, start)| start.pid).collect();
            deaths.iter().filter(|death| pids.contains(&death.pid)).count()
        });
        let by_crash = record.last_error().is_some_and(|it| it.kind == FailureKind::Crash);
        if record.status != TaskStatus::Failed || !by_crash || died_with < 3 {
            let error = record.last_error();
            return Err(format!(
                "{} ended as {} after {died_with} deaths of its body: {error:?}",
                record.id, record.status
            ));
        }
    }
    results_are_of_the_last_claim(records, ledger)
}

/// No result was taken from a body whose claim was no longer valid, and every body ran under a claim of its own.
pub(crate) fn results_are_of_the_last_claim(records: &Records, ledger: &Reader) -> Result<(), String> {
    let ends = ledger.events.iter().filter_map(|it| match it.what {
        What::Ended(id, fence) => Some((id, fence)),
        _ => None,
    });
    let ends: BTreeSet<_> = ends.collect();
    for record in records.values().filter(|it| it.status == TaskStatus::Success) {
        let told = record.result.as_ref().map(|it| it.get().to_owned());
        if told.as_deref() != Some(&record.fence.get().to_string()) {
            return Err(format!("a stale write: {} has the result {told:?} under fence {}", record.id, record.fence));
        }
        if !ends.contains(&(record.id, record.fence)) {
            return Err(format!("{} succeeded under fence {}, and no body says so", record.id, record.fence));
        }
    }
    for (id, starts) in starts(&ledger.events) {
        let mut seen = BTreeSet::new();
        if let Some((fence, _)) = starts.iter().find(|it| !seen.insert(it.0)) {
            return Err(format!("{id} started twice under fence {fence}"));
        }
    }
    Ok(())
}

/// Bodies that started again did so because their process died while it held the task, and soon after.
///
/// # Errors
/// One did not.
pub(crate) fn only_the_dead_run_again(records: &Records, ledger: &Reader, deaths: &[Death]) -> Result<Figures, String> {
    let starts = starts(&ledger.events);
    let deaths: BTreeMap<_, _> = deaths.iter().map(|it| (it.pid, it)).collect();
    let mut figures = Figures {
        tasks: starts.len(),
        deaths: deaths.len(),
        running: deaths.values().map(|it| it.running.len()).sum(),
        ..Figures::default()
    };
    let ends: BTreeMap<_, _> = ledger
        .events
        .iter()
        .filter_map(|it| match it.what {
            What::Ended(id, fence) => Some(((id, fence), it.at)),
            _ => None,
        })
        .collect();
    let micros = |it: u128| Duration::from_micros(u64::try_from(it).unwrap_or(u64::MAX));
    let mut delays = Vec::new();
    for (id, starts) in &starts {
        for pair in starts.windows(2) {
            let ((fence, before), (higher, after)) = (&pair[0], &pair[1]);
            if higher <= fence {
                return Err(format!("{id} started under fence {higher} after fence {fence}"));
            }
            let Some(death) = deaths.get(&before.pid).filter(|it| it.at <= after.at) else {
                return Err(format!("{id} started again under fence {higher}, and nobody who held it died"));
            };
            figures.again += 1;
            if death.running.contains(&(*id, *fence)) {
                delays.push(micros(after.at - death.at));
            } else {
                let ended = ends.get(&(*id, *fence)).ok_or_else(|| format!("{id} neither ran nor ended"))?;
                figures.unwritten += 1;
                figures.unwritten_for = figures.unwritten_for.max(micros(death.at.saturating_sub(*ended)));
            }
        }
    }
    // What failed after its last death does not start again.
    let failed = records.values().filter(|it| it.status == TaskStatus::Failed);
    figures.failed =
        failed.filter(|it| deaths.values().any(|death| death.running.contains(&(it.id, it.fence)))).count();
    if delays.len() + figures.failed != figures.running {
        return Err(format!(
            "{} bodies ran when their process died, {} started again and {} failed",
            figures.running,
            delays.len(),
            figures.failed
        ));
    }
    delays.sort_unstable();
    figures.median = delays.get(delays.len() / 2).copied().unwrap_or_default();
    figures.longest = delays.last().copied().unwrap_or_default();
    Ok(figures)
}

/// The file of a store in a file.
pub(crate) fn file_of(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite:")?.split('?').next()
}

/// A file of SQLite is whole.
pub(crate) fn is_whole(url: &str) -> Result<(), String> {
    let Some(path) = file_of(url) else { return Ok(()) };
    let check = || -> rusqlite::Result<String> {
        rusqlite::Connection::open(path)?.query_row("PRAGMA integrity_check", [], |it| it.get(0))
    };
    match check() {
        Ok(answer) if answer == "ok" => Ok(()),
        other => Err(format!("the file is not whole: {other:?}")),
    }
}
