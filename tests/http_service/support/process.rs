//! The playground, or another example, as a process of its own.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use super::PATIENCE;

/// An example, built once for all tests.
fn program(example: &str) -> PathBuf {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let build = || {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--manifest-path",
                manifest,
                "--example",
                "playground",
                "--example",
                "quickstart",
            ])
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "the examples do not build");
        let messages = String::from_utf8(output.stdout).unwrap();
        let artifacts = messages.lines().map(|it| serde_json::from_str::<serde_json::Value>(it).unwrap());
        let named = artifacts.filter_map(|it| {
            let name = it["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(it["executable"].as_str()?)))
        });
        named.collect()
    };
    PROGRAMS.get_or_init(build)[example].clone()
}

/// Runs the playground to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(program("playground")).args(args).output().unwrap()
}

/// A program that listens, and is killed when this is dropped.
pub(crate) struct Service {
    child: Child,
    /// What it said before it listened.
    pub(crate) said: Vec<String>,
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
}

impl Service {
    /// Starts a playground on a free port, and waits until it says where it listens.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_example("playground", args)
    }

    /// The same with another example.
    pub(crate) fn start_example(example: &str, args: &[&str]) -> Self {
        let mut child = Command::new(program(example))
            .args(["--port", "0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::default();
        collect(child.stderr.take().unwrap(), &log);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let mut heard = |line: String| {
            let found = line.strip_prefix("listening on ").map(str::to_owned);
            said.push(line);
            found
        };
        let Some(url) = lines.find_map(|it| heard(it.unwrap())) else {
            let status = child.wait().unwrap();
            panic!("it ended with {status} before it listened: {}", log.lock().unwrap());
        };
        // What else it says is read, or it would wait at a full pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, said, url, log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end; answers how it ended and how long that took.
    pub(crate) fn wait(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.log());
            // The standard library cannot wait with a deadline.
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the log of the playground:\n{}", self.log());
        }
    }
}

fn collect(mut from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = into.clone();
    thread::spawn(move || {
        let mut piece = [0; 4_096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    });
}
