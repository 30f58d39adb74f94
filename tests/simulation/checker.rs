//! What must hold of a simulation, whatever went wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use ddd_core::{Statistics, TaskId, TaskRecord, TaskStatus, Transition, domain::Fence, ports::Controlled};
use serde::Deserialize;

use crate::{
    bodies::{CHILD, NARROW, NARROW_DEPTH, PER_KEY, TIMEOUT},
    ledger::{Asked, Book, Left, Ran},
    node::LEASE,
};

type Records = BTreeMap<TaskId, TaskRecord>;

/// The parameters of the simulation's tasks.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Params {
    number: Option<u32>,
    key: Option<u32>,
}

fn params(record: &TaskRecord) -> Params {
    serde_json::from_str(record.params.get()).unwrap_or_default()
}

/// A task's life, for people to read.
pub(crate) fn history(book: &Book, id: TaskId) -> String {
    let mut text = format!("\n  the life of {id}:");
    for it in book.transitions.iter().filter(|it| it.id == id) {
        let from = it.from.map_or("new", TaskStatus::as_str);
        let _ = write!(
            text,
            "\n    {} {from} -> {} (run {}, attempt {}, fence {})",
            it.at, it.to, it.run, it.attempt, it.fence
        );
    }
    for it in book.ran.iter().filter(|it| it.id == id) {
        let took = it.ended - it.began;
        let _ = write!(
            text,
            "\n    a body on node {} (run {}, fence {}) took {took:?}: {:?}",
            it.node, it.run, it.fence, it.left
        );
    }
    for it in book.controls.iter().filter(|it| it.0 == id) {
        let _ = write!(text, "\n    {:?} was answered {:?}", it.1, it.2);
    }
    text
}

/// A hash over everything that happened: the same seed must lead to the same history.
pub(crate) fn fingerprint(book: &Book) -> u64 {
    let mut hasher = DefaultHasher::new();
    for it in &book.transitions {
        format!("{it:?}").hash(&mut hasher);
    }
    for it in &book.ran {
        (it.id.to_string(), it.run, it.fence.get(), it.node, (it.ended - it.began).as_nanos()).hash(&mut hasher);
    }
    hasher.finish()
}

/// Checks all that must hold.
///
/// # Errors
/// The first thing that does not, with the life of the task.
pub(crate) fn check(book: &Book, records: &Records, statistics: &Statistics) -> Result<(), String> {
    if let Some(problem) = book.problems.first() {
        return Err(problem.clone());
    }
    let lives = lives(book)?;
    what_went_in_came_out(book, records)?;
    ends_come_from_bodies_that_held_the_task(book, records, &lives)?;
    limits_held(book, records)?;
    controls_were_kept(book, &lives)?;
    who_waited_was_told_the_truth(book, &lives)?;
    ticks_fired_once(book, records)?;
    only_the_dead_are_counted_as_such(book, records)?;
    figures_are_true(records, statistics, &lives)
}

/// The terminal transitions of each task, in order.
type Lives<'a> = BTreeMap<TaskId, Vec<&'a Transition>>;

/// Every life is a chain of legal transitions, each run ends once, and each claim has a higher fence.
fn lives(book: &Book) -> Result<Lives<'_>, String> {
    let mut last: BTreeMap<TaskId, &Transition> = BTreeMap::new();
    let mut ends = Lives::new();
    for it in &book.transitions {
        let wrong = |what: String| Err(format!("{what}{}", history(book, it.id)));
        let Some(before) = last.insert(it.id, it) else {
            if it.from.is_some() {
                return wrong(format!("the first transition comes from {:?}", it.from));
            }
            continue;
        };
        if it.from != Some(before.to) {
            return wrong(format!("a transition from {:?} follows one to {}", it.from, before.to));
        }
        if it.from == Some(it.to) {
            continue;
        }
        if !before.to.may_become(it.to) {
            return wrong(format!("{} became {}", before.to, it.to));
        }
        if it.fence < before.fence || (it.to == TaskStatus::Running && it.fence == before.fence) {
            return wrong(format!("fence {} follows fence {}", it.fence, before.fence));
        }
        let run = before.run + u32::from(before.to.is_terminal());
        if it.run != run {
            return wrong(format!("run {} instead of run {run}", it.run));
        }
        if it.to.is_terminal() {
            ends.entry(it.id).or_default().push(it);
        }
    }
    Ok(ends)
}

/// What was acknowledged is there, at its end; what is there was asked for, and once.
fn what_went_in_came_out(book: &Book, records: &Records) -> Result<(), String> {
    for it in &book.submissions {
        let Some(id) = it.acknowledged else { continue };
        let Some(record) = records.get(&id) else {
            return Err(format!("submission {} was acknowledged as {id}, and is lost", it.number));
        };
        let is_it = params(record).number == Some(it.number) || record.name.as_str() == "single";
        if !is_it {
            return Err(format!("submission {} was acknowledged as another one, {id}", it.number));
        }
    }
    let mut seen = BTreeSet::new();
    for record in records.values().filter(|it| it.name.as_str() != "tick") {
        let Some(number) = params(record).number else { return Err(format!("{} has no number", record.id)) };
        if !book.attempted.contains(&number) {
            return Err(format!("nobody submitted number {number}{}", history(book, record.id)));
        }
        // A child is submitted once in each run of its parent.
        if number < CHILD && !seen.insert(number) {
            return Err(format!("number {number} is there twice{}", history(book, record.id)));
        }
        if record.attempt > record.max_attempts {
            return Err(format!("attempt {} of {}{}", record.attempt, record.max_attempts, history(book, record.id)));
        }
    }
    let parents = |number: u32| records.values().filter(move |it| params(it).number == Some(number - CHILD));
    let mut children: BTreeMap<u32, u32> = BTreeMap::new();
    for number in records.values().filter_map(|it| params(it).number).filter(|it| *it >= CHILD) {
        *children.entry(number).or_default() += 1;
    }
    for (number, count) in children {
        let runs = parents(number).map(|it| it.run).sum::<u32>();
        if count > runs {
            return Err(format!("{count} children of number {}, which ran {runs} times", number - CHILD));
        }
    }
    Ok(())
}

/// An end is taken from the body that held the task, and no two bodies hold it under one fence.
fn ends_come_from_bodies_that_held_the_task(book: &Book, records: &Records, lives: &Lives<'_>) -> Result<(), String> {
    let mut bodies: HashMap<(TaskId, Fence), &Ran> = HashMap::new();
    for it in &book.ran {
        if bodies.insert((it.id, it.fence), it).is_some() {
            return Err(format!("two bodies ran under fence {}{}", it.fence, history(book, it.id)));
        }
        let took = it.ended - it.began;
        if took > TIMEOUT + Duration::from_millis(10) {
            return Err(format!("a body ran for {took:?}{}", history(book, it.id)));
        }
    }
    for end in lives.values().flatten() {
        let body = bodies.get(&(end.id, end.fence));
        let is_right = match end.to {
            TaskStatus::Success => body.is_some_and(|it| it.left == Left::Returned { well: true }),
            TaskStatus::Timeout => body.is_some_and(|it| it.left == Left::Dropped),
            _ => true,
        };
        if !is_right {
            return Err(format!("its end as {} is not that of its body{}", end.to, history(book, end.id)));
        }
    }
    for record in records.values().filter(|it| it.status == TaskStatus::Success) {
        let told = record.result.as_ref().and_then(|it| it.get().parse().ok());
        if told.is_some_and(|told: u64| told != record.fence.get()) {
            return Err(format!("a result of fence {told:?} was taken{}", history(book, record.id)));
        }
    }
    Ok(())
}

/// Never more than allowed of a key were ready or running, of a queue running, of a unique key alive.
fn limits_held(book: &Book, records: &Records) -> Result<(), String> {
    let (mut narrow, mut waiting) = (BTreeSet::new(), BTreeSet::new());
    let mut admitted: BTreeMap<u32, BTreeSet<TaskId>> = BTreeMap::new();
    let mut alive: BTreeMap<u32, BTreeSet<TaskId>> = BTreeMap::new();
    for it in &book.transitions {
        let Some(record) = records.get(&it.id) else { continue };
        let first_run = it.run == 1;
        let (key, is_running) = (params(record).key.unwrap_or_default(), it.to == TaskStatus::Running);
        let count = |set: &mut BTreeSet<TaskId>, is_in: bool| {
            if is_in {
                set.insert(it.id)
            } else {
                set.remove(&it.id)
            };
            set.len()
        };
        let (now, most, what) = match record.name.as_str() {
            "keyed" => {
                // What was accepted may always come back.
                if it.from.is_none() && waiting.len() >= NARROW_DEPTH {
                    return Err(format!("{} waited, and one more was accepted{}", waiting.len(), history(book, it.id)));
                }
                count(&mut waiting, it.to.is_queued());
                let running = count(&mut narrow, is_running);
                let has_permit = is_running || it.to == TaskStatus::Pending;
                let of_key = count(admitted.entry(key).or_default(), has_permit);
                if running > NARROW {
                    (running, NARROW, "of the narrow queue run")
                } else {
                    (of_key, PER_KEY, "of one key are ready or running")
                }
            }
            // A retry by hand does not ask for the key.
            "single" => {
                (count(alive.entry(key).or_default(), first_run && !it.to.is_terminal()), 1, "of one unique key live")
            }
            _ => continue,
        };
        if now > most {
            return Err(format!("{now} tasks {what}; at most {most} may{}", history(book, it.id)));
        }
    }
    Ok(())
}

/// Who was told that a task is cancelled or begins anew was told the truth.
fn controls_were_kept(book: &Book, lives: &Lives<'_>) -> Result<(), String> {
    for (id, asked, answer) in &book.controls {
        let ends = lives.get(id).map_or(&[][..], Vec::as_slice);
        let kept = match (asked, answer) {
            (Asked::Cancel, Controlled::Requested { fence }) => {
                let run = book.transitions.iter().find(|it| it.id == *id && it.fence == *fence).map(|it| it.run);
                ends.iter().any(|it| Some(it.run) == run && it.to == TaskStatus::Cancelled)
            }
            (Asked::Cancel, Controlled::Applied(_)) => ends.iter().any(|it| it.to == TaskStatus::Cancelled),
            (Asked::Retry, Controlled::Applied(_)) => ends.len() >= 2,
            (_, Controlled::Unknown) => false,
            _ => true,
        };
        if !kept {
            return Err(format!("{asked:?} was answered {answer:?}, and was not done{}", history(book, *id)));
        }
    }
    Ok(())
}

fn who_waited_was_told_the_truth(book: &Book, lives: &Lives<'_>) -> Result<(), String> {
    for (id, status, result) in &book.waited {
        let ends = lives.get(id).map_or(&[][..], Vec::as_slice);
        let is_end = |it: &&&Transition| it.to == *status && result.is_none_or(|result| result == it.fence.get());
        if ends.iter().find(is_end).is_none() {
            return Err(format!("who waited was told {status} with {result:?}{}", history(book, *id)));
        }
    }
    Ok(())
}

fn ticks_fired_once(book: &Book, records: &Records) -> Result<(), String> {
    let mut seen = BTreeMap::new();
    for record in records.values().filter(|it| it.name.as_str() == "tick") {
        let Some(tick) = book.fired.get(&record.id) else {
            return Err(format!("no tick made {}", record.id));
        };
        if let Some(other) = seen.insert(tick, record.id) {
            return Err(format!("tick {} fired twice: {other} and {}", tick.1, record.id));
        }
    }
    Ok(())
}

/// A task counts a crash only if a worker died, or gave no sign of life for a lease.
fn only_the_dead_are_counted_as_such(book: &Book, records: &Records) -> Result<(), String> {
    let silent = |beats: &Vec<ddd_core::Timestamp>| {
        beats.windows(2).any(|it| it[1].since(it[0]) >= LEASE - Duration::from_secs(1))
    };
    if book.deaths > 0 || book.beats.values().any(silent) {
        return Ok(());
    }
    let crashed = book
        .transitions
        .iter()
        .find(|it| it.from == Some(TaskStatus::Running) && records.get(&it.id).is_some_and(|it| it.crashes > 0));
    crashed.map_or(Ok(()), |it| Err(format!("a task counts a crash, and no worker died{}", history(book, it.id))))
}

fn figures_are_true(records: &Records, statistics: &Statistics, lives: &Lives<'_>) -> Result<(), String> {
    let count = records.len() as u64;
    if (statistics.now.total(), statistics.submitted) != (count, count) {
        return Err(format!("{count} records, and {:?} and {} in the figures", statistics.now, statistics.submitted));
    }
    for status in TaskStatus::ALL.into_iter().filter(|it| it.is_terminal()) {
        let ends = lives.values().flatten().filter(|it| it.to == status).count() as u64;
        if statistics.finished.get(status) != ends {
            return Err(format!("{ends} ends as {status}, and {} in the figures", statistics.finished.get(status)));
        }
    }
    Ok(())
}
