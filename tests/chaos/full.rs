//! The disk is full: nothing is acknowledged, and what was acknowledged runs when there is room again.
//!
//! The disk is a small one in memory, mounted in a namespace of its own: no permission is needed for that where the system lets
//! users have namespaces, and nothing is left behind.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use ddd_core::{TaskId, TaskStatus};

use crate::{
    checker::{is_whole, results_are_of_the_last_claim},
    ledger::{Reader, What},
    options::Options,
    scene::{Process, Scene},
};

/// Where the small disk is, for the test that runs on it.
const DISK: &str = "DDD_CHAOS_DISK";

/// Runs the test of this name again, with a small disk. Answers whether the system allows that.
pub(crate) fn on_a_small_disk(test: &str) -> Result<bool, String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("small_disk_{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|it| it.to_string())?;
    let may = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).status();
    if !may.is_ok_and(|it| it.success()) {
        return Ok(false);
    }
    let script = "mount -t tmpfs -o size=64m tmpfs \"$1\" && exec \"$2\" --exact --ignored --nocapture \"$3\"";
    let program = std::env::current_exe().map_err(|it| it.to_string())?;
    let status = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .args([folder.as_os_str(), program.as_os_str(), test.as_ref()])
        .env(DISK, &folder)
        .status()
        .map_err(|it| it.to_string())?;
    let _ = fs::remove_dir(&folder);
    if status.success() { Ok(true) } else { Err(format!("on the small disk: {status}")) }
}

fn acknowledged(ledger: &Reader) -> BTreeMap<u32, TaskId> {
    let answers = ledger.events.iter().filter_map(|it| match it.what {
        What::Acknowledged(number, id) => Some((number, id)),
        _ => None,
    });
    answers.collect()
}

fn refused(ledger: &Reader) -> usize {
    ledger.events.iter().filter(|it| matches!(it.what, What::Refused(..))).count()
}

/// Fills whatever room there is.
fn fill(path: &Path) -> Result<(), String> {
    let mut file = fs::File::create(path).map_err(|it| it.to_string())?;
    for size in [64 << 10, 4 << 10, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    Ok(())
}

/// Submits and works on a disk that becomes full, twice.
///
/// # Errors
/// What did not hold.
pub(crate) async fn full() -> Result<String, String> {
    let disk = PathBuf::from(std::env::var_os(DISK).ok_or("there is no small disk")?);
    let mut scene = Scene::within("full", &disk);
    // The ledger lies elsewhere: it must not become full.
    let ledger = disk.with_extension("ledger");
    scene.options.ledger.clone_from(&ledger);
    scene.ledger = Reader::open(&ledger);
    let (ballast, _worker) = (disk.join("ballast"), scene.start("work"));
    for (round, from) in [(1, 0), (2, 1_000_000)] {
        let options = Options { role: "submit".to_owned(), from, count: 1_000_000, ..scene.options.clone() };
        let submitter = Process::start(&options);
        let before = acknowledged(scene.ledger.read()).len();
        scene.until("acknowledgements", |it| acknowledged(it).len() >= before + 50).await?;
        let refusals = refused(&scene.ledger);
        fill(&ballast)?;
        scene.until("refusals", |it| refused(it) >= refusals + 20).await?;
        fs::remove_file(&ballast).map_err(|it| it.to_string())?;
        let then = acknowledged(&scene.ledger).len();
        scene.until("acknowledgements again", |it| acknowledged(it).len() >= then + 50).await?;
        drop(submitter);
        scene.settle(scene.patience).await.map_err(|it| format!("round {round}: {it}"))?;
    }
    let records = scene.records().await;
    let acknowledged = acknowledged(scene.ledger.read());
    if let Some((number, id)) =
        acknowledged.iter().find(|it| records.get(it.1).is_none_or(|it| it.status != TaskStatus::Success))
    {
        return Err(format!("number {number} was acknowledged as {id}, which is {:?}", records.get(id)));
    }
    let untyped = scene.ledger.events.iter().filter(|it| matches!(it.what, What::Refused(_, false))).count();
    if untyped > 0 {
        return Err(format!("{untyped} refusals were not typed"));
    }
    results_are_of_the_last_claim(&records, &scene.ledger)?;
    is_whole(&scene.options.store)?;
    let _ = fs::remove_file(&ledger);
    Ok(format!(
        "{} acknowledged and run, {} refused while there was no room",
        acknowledged.len(),
        refused(&scene.ledger)
    ))
}
