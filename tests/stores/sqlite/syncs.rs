//! What is acknowledged is on the disk: seen in the calls that the process makes to the operating system.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use ddd_core::{Durability, SqliteStore};

use super::{
    Folder,
    support::{enqueue, task},
};

/// Set for the process that is looked at: where its store is, and with which durability.
const FOLDER: &str = "DDD_STORES_SYNCS_FOLDER";
const ACKNOWLEDGED: u64 = 40;

/// The process that is looked at: it says of each acknowledgement that it came.
#[test]
fn submits_and_says_so() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let durability =
        if folder.join("normal").exists() { Durability::PowerCutLosesTheLastCommits } else { Durability::Full };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::options(folder.join("tasks.db")).durability(durability).open().unwrap();
        let mut said = fs::File::create(folder.join("said")).unwrap();
        for number in 0..ACKNOWLEDGED {
            enqueue(&store, task(number)).await;
            said.write_all(b"acknowledged").unwrap();
        }
    });
}

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Written,
    Synced,
    Acknowledged,
}

/// Runs the process under `strace`; `None` if that cannot be, with the reason printed.
fn calls(folder: &Folder) -> Option<Vec<Call>> {
    let path = folder.file().parent().unwrap().to_owned();
    let log = path.join("calls");
    let run = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::syncs::submits_and_says_so"])
        .env(FOLDER, &path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: strace is not there: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && said.contains("ptrace") {
        println!("SKIPPED: processes may not be traced here: {said}");
        return None;
    }
    assert!(output.status.success(), "{said}");
    let log = fs::read_to_string(log).unwrap();
    Some(log.lines().filter_map(call).collect())
}

/// What a line tells. A call that was interrupted counts when it is done.
fn call(line: &str) -> Option<Call> {
    if line.contains("acknowledged\"") && line.contains("/said>") {
        return Some(Call::Acknowledged);
    }
    if line.contains("tasks.db-wal>") && line.contains("pwrite64(") {
        return Some(Call::Written);
    }
    let is_sync = line.contains("fdatasync(") || line.contains("fsync(");
    let is_begun_only = line.contains("<unfinished");
    let is_resumed = line.contains("fdatasync resumed") || line.contains("fsync resumed");
    ((is_sync && !is_begun_only && line.contains("tasks.db-wal>")) || is_resumed).then_some(Call::Synced)
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_the_disk() {
    let folder = Folder::new();
    let Some(calls) = calls(&folder) else { return };
    let mut since = Vec::new();
    let mut acknowledged = 0;
    for call in calls {
        if call == Call::Acknowledged {
            acknowledged += 1;
            let written = since.iter().rposition(|it| *it == Call::Written);
            let synced = since.iter().rposition(|it| *it == Call::Synced);
            assert!(written.is_some() && synced > written, "acknowledgement {acknowledged} came after {since:?}");
            since.clear();
        } else {
            since.push(call);
        }
    }
    assert_eq!(acknowledged, ACKNOWLEDGED);
}

/// Else the test above would be green whatever the store does.
#[test]
fn the_faster_setting_is_seen_to_sync_less() {
    let folder = Folder::new();
    fs::write(folder.file().with_file_name("normal"), "").unwrap();
    let Some(calls) = calls(&folder) else { return };
    let count = |call| calls.iter().filter(|it| **it == call).count();
    assert_eq!(count(Call::Acknowledged), usize::try_from(ACKNOWLEDGED).unwrap());
    assert!(count(Call::Synced) < 10, "{} syncs", count(Call::Synced));
}
