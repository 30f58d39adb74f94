//! Several processes fire one schedule, in accelerated time, and the one that fired last is killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ddd_core::{Schedule, Task};

use crate::{
    ledger::{Reader, What},
    options::Options,
    scene::{Process, Scene},
    tasks::ticked,
};

/// How long a tick lasts in accelerated time.
const PERIOD: i64 = 1_000_000;

fn fired(ledger: &Reader) -> usize {
    ledger.events.iter().filter(|it| matches!(it.what, What::Fired)).count()
}

/// How much, and how fast time passes.
pub(crate) struct Size {
    pub(crate) ticks: usize,
    pub(crate) kills: usize,
    pub(crate) speed: u32,
    /// So many ticks at most may make one run with the next: those that pass while no process gets to them.
    pub(crate) merged: i64,
}

/// Fires so many ticks with so many kills.
///
/// # Errors
/// What did not hold.
pub(crate) async fn ticks(scene: &mut Scene, size: &Size) -> Result<String, String> {
    let Size { ticks, kills, speed, merged } = *size;
    let app = scene.app().await;
    let every = Schedule::every(Duration::from_micros(PERIOD.unsigned_abs())).unwrap();
    app.tasks().schedules().put("ticking", every, ticked {}).await.map_err(|it| format!("{it:?}"))?;
    let long = Duration::from_secs(1_000);
    let (lease, heartbeat) = (Duration::from_secs(15), Duration::from_secs(5));
    let role = "tick".to_owned();
    let options = Options { role, speed, store_timeout: long, lease, heartbeat, slots: 2, ..scene.options.clone() };
    let mut processes: Vec<_> = (0..4).map(|_| Process::start(&options)).collect();
    for kill in 1..=kills {
        scene.until("ticks", |it| fired(it) >= ticks * kill / (kills + 1)).await?;
        let last = scene.ledger.events.iter().rfind(|it| matches!(it.what, What::Fired)).map(|it| it.pid);
        let Some(place) = processes.iter().position(|it| Some(it.pid) == last) else {
            return Err("the process that fired last is not among those that live".to_owned());
        };
        processes[place].kill();
        processes[place] = Process::start(&options);
    }
    scene.until("the last ticks", |it| fired(it) >= ticks).await?;
    app.tasks().schedules().delete("ticking").await.map_err(|it| format!("{it:?}"))?;
    drop(processes);
    let firing: BTreeMap<_, _> = scene
        .ledger
        .read()
        .events
        .iter()
        .filter_map(|it| match it.what {
            What::Firing(tick, id) => Some((id, tick)),
            _ => None,
        })
        .collect();
    let mut seen = BTreeSet::new();
    for record in scene.records().await.values().filter(|it| it.name.as_str() == ticked::definition().name) {
        let tick = *firing.get(&record.id).ok_or("a task of no tick")?;
        if !seen.insert(tick) {
            return Err(format!("tick {tick} fired twice"));
        }
    }
    // The first tick was due when the schedule was made, on the driver's clock; from the second on they are in step.
    let in_step: Vec<_> = seen.iter().skip(1).copied().collect();
    let missed: i64 = in_step.windows(2).map(|it| (it[1] - it[0]) / PERIOD - 1).sum();
    if missed > merged {
        return Err(format!("{} ticks fired, and {missed} between them did not", seen.len()));
    }
    Ok(format!(
        "{} ticks fired once each, {missed} made one run with the next, {kills} times the process that fired last was killed",
        seen.len()
    ))
}
