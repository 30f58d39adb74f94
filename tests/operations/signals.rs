//! `App::run` in a process of its own: this test program, run again for one test.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "the child speaks to its parent on its output")]

use std::time::{Duration, Instant};

use ddd_core::{App, Settings, Task};
use ddd_tests::kit::process::Process;

use crate::support::{millis, nap, secs};

const ROLE: &str = "DDD_OPERATIONS_CHILD";

/// Not a test of its own: what the child does. Without a role it does nothing.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let mut settings = Settings::default();
    settings.shutdown_timeout = if role == "patient" { secs(120) } else { millis(200) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::builder().settings(settings).definitions([nap::definition()]).build().await.unwrap();
        let mut transitions = app.tasks().transitions();
        let millis = if role == "finishing" { 1 } else { 300_000 };
        app.submit(nap { millis }).await.unwrap();
        tokio::spawn(async move {
            while let Ok(transition) = transitions.next().await {
                println!("\nsaw {}", transition.to);
            }
        });
        let report = app.run().await.unwrap();
        println!("\nended {} given back, {} still running", report.given_back.len(), report.still_running.len());
    });
}

fn start(role: &str) -> Process {
    Process::start("signals::child", [(ROLE, role)])
}

#[test]
fn run_ends_on_sigterm_and_gives_back() {
    let mut process = start("impatient");
    process.line("saw running");
    process.signal("TERM");
    assert_eq!(process.line("ended"), "ended 1 given back, 0 still running");
    process.ends_well();
}

#[test]
fn run_ends_on_sigint_when_nothing_runs() {
    let mut process = start("finishing");
    process.line("saw success");
    process.signal("INT");
    assert_eq!(process.line("ended"), "ended 0 given back, 0 still running");
    process.ends_well();
}

#[test]
fn a_second_signal_ends_the_wait() {
    let mut process = start("patient");
    process.line("saw running");
    process.signal("TERM");
    // How soon the first is taken is the child's affair: it is told again until it has ended, long before its 120 s.
    let began = Instant::now();
    while !process.has_ended() {
        assert!(began.elapsed() < Duration::from_secs(60), "a second signal does not end the wait");
        std::thread::sleep(millis(20));
        process.signal("INT");
    }
    process.ends_well();
}
