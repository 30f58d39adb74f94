//! What configuration overrides reaches every process, while it runs.

use std::fs;

use crate::{
    ledger::{Reader, What},
    options::Options,
    scene::{Process, Scene},
    tasks::pressed,
};

/// The most bodies that a process ran at once, from this line of the ledger on.
fn most_at_once(ledger: &Reader, pid: u32, from: usize) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for (line, event) in ledger.events.iter().enumerate().filter(|it| it.1.pid == pid) {
        match event.what {
            What::Started(..) => now += 1,
            What::Ended(..) => now -= 1,
            _ => {}
        }
        if line >= from {
            most = most.max(now);
        }
    }
    most
}

/// Two processes let one body at a time into a bulkhead, as its attribute says; then the file says three, and they are told.
///
/// # Errors
/// What did not hold.
pub(crate) async fn overridden(scene: &mut Scene) -> Result<String, String> {
    let folder = scene.folder.join("config");
    fs::create_dir_all(&folder).map_err(|it| it.to_string())?;
    let file = folder.join("default.yaml");
    fs::write(&file, "tasks:\n  max_workers: 8\n").map_err(|it| it.to_string())?;
    let options = Options { role: "work".to_owned(), config: Some(folder), ..scene.options.clone() };
    let workers = [Process::start(&options), Process::start(&options)];
    let app = scene.app().await;
    app.submit_many((0..600).map(|_| pressed { millis: 20 })).await.map_err(|it| it.to_string())?;
    scene.until("bodies of both", |it| workers.iter().all(|worker| ended(it, worker.pid) > 20)).await?;
    let before: Vec<_> = workers.iter().map(|it| most_at_once(&scene.ledger, it.pid, 0)).collect();
    let changed = "tasks:\n  max_workers: 8\npolicies:\n  press:\n    bulkhead:\n      limit: 3\n";
    fs::write(&file, changed).map_err(|it| it.to_string())?;
    workers.iter().for_each(|it| it.signal("HUP"));
    let told = scene.ledger.events.len();
    let reached = |it: &Reader| workers.iter().all(|worker| most_at_once(it, worker.pid, told) >= 3);
    let known = scene.until("three at once in both", reached).await;
    scene.settle(scene.patience).await?;
    scene.ledger.read();
    let after: Vec<_> = workers.iter().map(|it| most_at_once(&scene.ledger, it.pid, told)).collect();
    if known.is_err() || (before.as_slice(), after.as_slice()) != (&[1, 1], &[3, 3]) {
        return Err(format!("at once were {before:?}, and after the override {after:?}; 1 and 3 are said"));
    }
    // An invalid one changes nothing, and ends no process.
    fs::write(&file, "policies:\n  press:\n    bulkhead:\n      limit: nine\n").map_err(|it| it.to_string())?;
    workers.iter().for_each(|it| it.signal("HUP"));
    let told = scene.ledger.events.len();
    app.submit_many((0..400).map(|_| pressed { millis: 20 })).await.map_err(|it| it.to_string())?;
    scene.settle(scene.patience).await?;
    scene.ledger.read();
    let kept: Vec<_> = workers.iter().map(|it| most_at_once(&scene.ledger, it.pid, told)).collect();
    if kept != [3, 3] {
        return Err(format!("after an override that is none, {kept:?} were at once; 3 was said before"));
    }
    Ok(format!("at once were {before:?}, and {after:?} once the file said so"))
}

fn ended(ledger: &Reader, pid: u32) -> usize {
    ledger.events.iter().filter(|it| it.pid == pid && matches!(it.what, What::Ended(..))).count()
}
