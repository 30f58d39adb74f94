//! The examples do what they show: each is run as its reader runs it, and its output is checked.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

const SAMPLE: &str = "alpha beta beta\ngamma beta alpha\n";

/// A fresh folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs an example in a folder.
fn run(example: &str, folder: &PathBuf, args: &[&str]) -> (Output, String, String) {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--all-features", "--manifest-path", manifest, "--example", example, "--"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

#[test]
fn the_examples_explain_their_configuration() {
    let folder = folder("explained");
    fs::create_dir_all(folder.join("config")).unwrap();
    fs::write(folder.join("config/default.yaml"), "tasks:\n  timeout: 7m\n").unwrap();
    for (example, args, parts) in [
        (
            "quickstart",
            vec!["--slots", "3"],
            vec!["tasks.max_workers", "3", "code", "tasks.timeout", "7m", "default.yaml:2"],
        ),
        (
            "playground",
            vec!["--port", "0"],
            vec!["server.host", "127.0.0.1", "default", "server.port", "0", "code", "7m"],
        ),
    ] {
        let args: Vec<_> = args.into_iter().chain(["--explain-config"]).collect();
        let (output, out, err) = run(example, &folder, &args);
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert_in_order(&out, &parts);
    }
    fs::write(folder.join("config/default.yaml"), "tasks:\n  timeuot: 7m\n").unwrap();
    for example in ["quickstart", "playground"] {
        let (output, _, err) = run(example, &folder, &["--explain-config"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            err.contains("default.yaml:2: `tasks.timeuot`: there is no such setting; did you mean `timeout`?"),
            "{err}"
        );
    }
}

/// All of these texts, in this order.
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("`{part}` is not there, or not in its place:\n{text}") };
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn quickstart_reports_the_figures_of_a_file_and_the_retry() {
    let folder = folder("quickstart_figures");
    fs::write(folder.join("sample.txt"), SAMPLE).unwrap();
    let (output, out, err) = run("quickstart", &folder, &["sample.txt"]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_in_order(
        &out,
        &[
            "2 tasks for 1 file, 4 at a time",
            "retrying  count            sample.txt (attempt 1)",
            "success   count            sample.txt (attempt 2)",
            "sample.txt  under a minute to read",
            "6 words, 3 different, on 2 lines; 33 characters, at most 16 in a line",
            "most frequent: beta 3, alpha 2, gamma 1",
            "2 submitted, 3 attempts, 1 retried; 2 success, 0 failed, 0 cancelled, 0 timeout",
            "count of sample.txt, attempt 1: flaky disk (made up, to show a retry); success at attempt 2",
            "pending -> running        3",
            "retrying -> pending        1",
            "running -> retrying       1",
            "running -> success        2",
        ],
    );
    assert!(!out.contains('\x1b'), "escape sequences are for terminals only: {out:?}");
}

#[test]
fn quickstart_runs_what_matters_more_first() {
    let folder = folder("quickstart_order");
    for name in ["a.txt", "b.txt", "c.txt"] {
        fs::write(folder.join(name), SAMPLE).unwrap();
    }
    let (output, out, err) = run("quickstart", &folder, &["--slots", "1", "a.txt", "b.txt", "c.txt"]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_in_order(
        &out,
        &[
            "success   count            b.txt",
            "success   count            c.txt",
            "success   word_frequencies a.txt",
            "success   word_frequencies b.txt",
            "success   word_frequencies c.txt",
        ],
    );
}

#[test]
fn quickstart_reports_bad_files_beside_the_good_and_fails() {
    let folder = folder("quickstart_bad");
    fs::write(folder.join("sample.txt"), SAMPLE).unwrap();
    fs::write(folder.join("binary.dat"), b"text\xff\xfe").unwrap();
    fs::write(folder.join("empty.txt"), "").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    let files = ["missing.txt", "folder", "sample.txt", "binary.dat", "empty.txt"];
    let (output, out, err) = run("quickstart", &folder, &files);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert_in_order(
        &out,
        &[
            "missing.txt\n  not analysed: there is no such file",
            "folder\n  not analysed: it is a directory, not a file",
            "sample.txt  under a minute to read\n  6 words",
            "binary.dat\n  not analysed: it is not UTF-8 text: byte 4 is out of place",
            "empty.txt  under a minute to read\n  0 words",
            "10 submitted, 11 attempts, 1 retried; 4 success, 6 failed",
        ],
    );
    assert!(err.contains("3 files could not be analysed"), "{err}");
}

#[test]
fn quickstart_analyses_a_file_that_is_named_twice_once_and_says_so() {
    let folder = folder("quickstart_twice");
    fs::write(folder.join("a.txt"), SAMPLE).unwrap();
    fs::write(folder.join("b.txt"), SAMPLE).unwrap();
    let (output, out, err) = run("quickstart", &folder, &["a.txt", "b.txt", "a.txt", "a.txt"]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let says = "a.txt was named more than once; it is analysed once";
    assert_in_order(&out, &["4 tasks for 2 files, 4 at a time\n", says, "4 submitted"]);
    assert_eq!(out.matches("named more than once").count(), 1, "{out}");
}

#[test]
fn quickstart_analyses_its_own_documentation_by_default() {
    let (output, out, err) = run("quickstart", &folder("quickstart_default"), &[]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (lines, characters) = (readme.lines().count(), readme.chars().count());
    assert!(out.contains("\nREADME.md  "), "{out}");
    assert!(out.contains(&format!(" on {lines} lines; ")), "{lines} lines of {characters} characters:\n{out}");
}

#[test]
fn quickstart_says_what_is_wrong_with_its_command_line() {
    let folder = folder("quickstart_usage");
    let (output, out, _) = run("quickstart", &folder, &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out.contains("Usage: cargo run --example quickstart"), "{out}");
    for (args, says) in [
        (&["--fast"][..], "there is no option --fast; see --help"),
        (&["--slots", "many"], "--slots needs a number, and `many` is none"),
        (&["--slots", "0"], "--slots is 0; at least 1 task must be able to run"),
        (&["--pace"], "--pace needs a number"),
        (&["--port", "8001"], "--port needs --serve"),
    ] {
        let (output, out, err) = run("quickstart", &folder, args);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert_eq!((out.as_str(), err.trim()), ("", says));
    }
}

#[test]
fn tour_shows_every_capability() {
    let (output, out, err) = run("tour", &folder("tour"), &[]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_in_order(
        &out,
        &[
            "by name, in JSON: 42",
            "a task that submits tasks: 10",
            "there is no task `ads`; did you mean `add`?",
            "submitted: 0, -10, 5, 10, 0",
            "started:   10, 7, 5, 0, -10",
            "after its submission it is delayed",
            "attempt 3 met a bad connection",
            "success at attempt 4",
            "permanent   -> failed at attempt 1 of 3",
            "retry_after -> success at attempt 2 of 3, fence 2",
            "snooze      -> success at attempt 1 of 3, fence 2",
            "cancel      -> cancelled at attempt 1 of 3",
            "pay 5000  -> failed at attempt 1 of 3",
            "pay 10    -> failed at attempt 3 of 3",
            "panicked: attempt to divide by zero",
            "the body was dropped",
            "its child was dropped",
            "ran over its timeout",
            "timeout, still running: true",
            "the task was cancelled",
            "of a task that is queued: Applied(Cancelled)",
            "same task: true, is a duplicate: true",
            "12 submitted, 8 of them blocked",
            "the most that ran at once: {\"north\": 2, \"south\": 2}",
            "page 4: the queue `printer` is full",
            "resumed: 3 printed",
            "with one slot, the most bodies seen at once: 1",
            "read from the workspace: Hello, world!",
            "the workspace was removed: true",
            "the application cannot start: 4 problems",
            "log_in { ",
            "fail failed: nothing to be done",
            "100 % piece 4 of 4",
            "1 retried",
            "copy {\"pieces\":3} -> failed again, in run 2",
            "copy at examples/tour/watching.rs:",
            "collect  0 3 * * * in Europe/Berlin",
            "sky      every 1s",
            "a tick of `sky`: \"looked at the sky\"",
            "30 2 * * * in Berlin: 2026-03-28T01:30:00Z",
            "30 2 * * * in Berlin: 2026-03-30T00:30:00Z",
            "the task is parked",
            "the newer one: done by the newer worker",
            "short    is success",
            "long     is pending after 0 attempts; given back: true, still running: false",
            "stubborn is pending after 0 attempts; given back: false, still running: true",
            "waiting  is pending after 0 attempts",
        ],
    );
    assert!(!out.contains("correct horse"), "the secret is shown:\n{out}");
}

#[test]
fn resilience_shows_each_policy_at_work() {
    let folder = folder("resilience");
    let (output, out, err) = run("resilience", &folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_in_order(
        &out,
        &[
            "cached: a thousand ask for the same",
            "1000 callers were answered, and the warehouse was asked 1 time(s)",
            "after one invalidation, another thousand: asked 1 time(s)",
            "20 calls passed, 30 were refused",
            "a refusal says in how long the next call passes",
            "another customer: 1 of 1 passed",
            "70 pieces, after 3 calls of the warehouse",
            "a wrong number is not tried again: there is no item 0, after 1 call",
            "10 of 100 calls failed, 90 were refused without a call",
            "it is up again, the circuit closed: 100 of 100 calls passed",
            "10 were served, 20 were refused at once",
            "given up after 50 ms",
            "50 orders for 5 items, one line that dropped: 6 calls of the warehouse",
            "the breaker is held open: what is cached is answered, what is not is refused by the breaker",
            "the limit is one a minute from now on: refused by the limit",
            "and as annotated again: answered",
            "what the policies counted",
            "reserve retry",
            "recovered 1",
            "warehouse circuit_breaker",
            "closed 1",
        ],
    );
}

#[test]
fn durable_loses_nothing_when_a_worker_is_killed() {
    let (output, out, err) = run("durable", &folder("durable"), &[]);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_in_order(
        &out,
        &[
            "40 pages are accepted, and wait in tasks.db",
            "two workers print them: anna and boris",
            "anna is killed when ",
            "and was printing page",
            "s later their leases have ended, and boris has them",
            "anna   printed",
            "boris  printed",
            "begun again after the death: page",
            "40 of 40 pages are printed, 0 are lost",
        ],
    );
}
