//! The process of the peers. They are a package of their own, with a lock file of its own: their dependencies and licences
//! are nothing that the workspace should carry, and only who measures builds them.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ddd_benches::note;

use super::protocol::{Watch, Work};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/Cargo.toml");

/// What is known of the process.
#[derive(Default)]
pub(crate) enum Peers {
    #[default]
    NotAsked,
    Missing(String),
    Running(Process),
}

/// The process, and both ways to talk to it: a line of JSON asks for a work; the answers are `ready`, for which `go` follows,
/// `done` with the seconds, and `idle` when all is taken down.
pub(crate) struct Process {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    /// Builds and starts it, the first time.
    pub(crate) fn ready(&mut self) -> Result<(), String> {
        if matches!(self, Self::NotAsked) {
            *self = Process::start().map_or_else(Self::Missing, Self::Running);
        }
        match self {
            Self::Missing(reason) => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    fn running(&mut self) -> &mut Process {
        match self {
            Self::Running(process) => process,
            _ => panic!("the peers are not ready"),
        }
    }

    /// Its id.
    pub(crate) fn process(&mut self) -> u32 {
        self.running().child.id()
    }

    /// Has one of them do the work. If it hangs or panics, the process is another one the next time.
    pub(crate) fn run(&mut self, peer: &str, work: Work, url: &str, watch: &mut impl Watch) -> Result<(), String> {
        let done = self.running().run(peer, work, url, watch);
        if done.is_err() {
            *self = Self::NotAsked;
        }
        done
    }
}

impl Process {
    fn start() -> Result<Self, String> {
        note("starting the peers; to build them takes minutes the first time");
        let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(&program);
        build.args(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir"]).arg(target()?);
        match build.stdin(Stdio::null()).stdout(Stdio::null()).status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("they cannot be built ({status})")),
            Err(error) => return Err(format!("cargo does not start: {error}")),
        }
        let mut child = Command::new(target()?.join("release/ddd-peers"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("they do not start: {error}"))?;
        let (asks, answers) = child.stdin.take().zip(child.stdout.take()).ok_or("they cannot be talked to")?;
        let mut process = Self { child, asks, answers: BufReader::new(answers) };
        process.hear("idle")?;
        Ok(process)
    }

    fn run(&mut self, peer: &str, work: Work, url: &str, watch: &mut impl Watch) -> Result<(), String> {
        let request = serde_json::json!({ "peer": peer, "work": work, "url": url });
        self.say(&request.to_string())?;
        self.hear("ready")?;
        watch.begin();
        self.say("go")?;
        let seconds = self.hear("done")?;
        watch.end(serde_json::from_str(&seconds).map_err(|error| error.to_string())?);
        self.hear("idle").map(drop)
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.asks, "{line}").map_err(|error| format!("the process of the peers does not listen: {error}"))
    }

    /// Waits for this word; what stands behind it.
    fn hear(&mut self, word: &str) -> Result<String, String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(|error| format!("the process of the peers does not answer: {error}"))?;
        match line.trim().strip_prefix(word) {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => {
                Err(format!("the process of the peers says {line:?} instead of {word:?}; its own words stand above"))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without an input it ends by itself, but it may hang in a work.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where this program was built: the peers' crates are kept beside ours.
fn target() -> Result<PathBuf, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    program.ancestors().nth(3).map(PathBuf::from).ok_or_else(|| "this program stands in no build folder".to_owned())
}
