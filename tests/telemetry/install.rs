//! What setting it up answers, and what it does to panics: in processes of their own.

use std::{path::PathBuf, process::Command};

use ddd_core::telemetry::{LogFormat, Panics, Telemetry, TelemetryError};

use crate::support::{log, parsed};

#[test]
fn a_second_subscriber_is_an_error_that_says_so() {
    log();
    let error = Telemetry::builder().install().unwrap_err();
    assert!(matches!(error, TelemetryError::AlreadyInstalled), "{error}");
    assert!(error.to_string().contains("beginning of `main`"), "{error}");
    assert!(Telemetry::installed().is_some());
}

#[test]
fn what_is_wrong_is_told() {
    let level = Telemetry::builder().level("inof").install().unwrap_err();
    // Which of the two comes first depends on the other tests of this process.
    assert!(matches!(level, TelemetryError::Level(_) | TelemetryError::AlreadyInstalled), "{level}");
    assert!("yaml".parse::<LogFormat>().unwrap_err().to_string().contains("`json`"));
}

/// Runs one of the tests below in a process of its own; answers with standard error.
fn child(test: &str, directory: &PathBuf) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("install::{test}"), "--ignored", "--nocapture", "--test-threads", "1"])
        .env("TELEMETRY_TEST", directory)
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("ddd-telemetry-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn given() -> PathBuf {
    std::env::var_os("TELEMETRY_TEST").unwrap().into()
}

#[test]
fn a_file_gets_all_lines_and_panics_go_nowhere_else() {
    let directory = directory("file");
    let stderr = child("child_writes_to_a_file", &directory);
    let text = std::fs::read_to_string(directory.join("log.json")).unwrap();
    let lines: Vec<_> = text.lines().map(parsed).collect();
    let messages: Vec<_> = lines.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["first", "a panic: in a thread", "second"]);
    assert_eq!(lines[1]["thread"], "worker");
    assert!(!stderr.contains("in a thread"), "{stderr}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "a part of the test above"]
fn child_writes_to_a_file() {
    let file = given().join("log.json");
    assert!(matches!(
        Telemetry::builder().to_file(given().join("missing").join("log")).install(),
        Err(TelemetryError::File { .. })
    ));
    let telemetry = Telemetry::builder().format(LogFormat::Json).to_file(&file).install().unwrap();
    tracing::info!("first");
    let panicking = std::thread::Builder::new().name("worker".into()).spawn(|| panic!("in a thread")).unwrap();
    assert!(panicking.join().is_err());
    telemetry.set_level("off").unwrap();
    tracing::error!("not this one");
    telemetry.set_level("warn").unwrap();
    tracing::info!("nor this one");
    tracing::warn!("second");
}

#[test]
fn a_panic_that_is_not_logged_goes_to_the_hook_before() {
    let directory = directory("off");
    let stderr = child("child_switches_logs_off", &directory);
    assert!(stderr.contains("nobody logs this"), "{stderr}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "a part of the test above"]
fn child_switches_logs_off() {
    given();
    Telemetry::builder().level("off").install().unwrap();
    assert!(std::thread::spawn(|| panic!("nobody logs this")).join().is_err());
}

#[test]
fn lines_for_people_begin_with_the_time_and_stay_lines() {
    let directory = directory("pretty");
    let stderr = child("child_writes_for_people", &directory);
    let lines: Vec<_> = stderr.lines().filter(|it| it.starts_with("20")).collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(
        lines[0].contains("  INFO ") && lines[0].ends_with(r#": one\ntwo word=word words="two \"words\"" n=3 a=1"#),
        "{stderr}"
    );
    assert!(lines[1].contains(" ERROR panic: a panic: \\u001b[31mred"), "{stderr}");
    // The standard library's hook was called as well.
    assert!(stderr.lines().any(|it| it.contains("red") && !it.starts_with("20")), "{stderr}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "a part of the test above"]
fn child_writes_for_people() {
    given();
    Telemetry::builder().panics(Panics::LoggedAndPassedOn).install().unwrap();
    tracing::info_span!("outer", a = 1).in_scope(|| {
        tracing::info!(word = "word", words = "two \"words\"", n = 3, "one\ntwo");
    });
    assert!(std::thread::spawn(|| panic!("\u{1b}[31mred")).join().is_err());
}

/// A writer that panics.
struct Torn;

impl std::io::Write for Torn {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        tracing::error!("from within");
        panic!("torn")
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_panics_costs_its_lines_and_nothing_else() {
    let directory = directory("torn");
    child("child_writes_to_a_torn_writer", &directory);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "a part of the test above"]
fn child_writes_to_a_torn_writer() {
    given();
    Telemetry::builder().to_writer(Torn).install().unwrap();
    tracing::info!("lost");
    assert!(std::thread::spawn(|| panic!("lost as well")).join().is_err());
    tracing::info!("lost too");
}
