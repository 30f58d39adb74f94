//! A scene of the harness: a store and a ledger of its own, the processes that work on them, and the driver's own view.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use ddd_core::{App, Filter, TaskId, TaskRecord, TaskStatus};
use ddd_tests::kit::bugs::Bug;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{checker::file_of, ledger::Reader, node, options::Options, tasks::measured};

/// Scenes share the machine, but for those whose processes must not wait for it.
static MACHINE: RwLock<()> = RwLock::new(());

/// Names a `chaos-worker` that was built from another version of the whole, for the workers of the first deployment.
const WORKER_BEFORE: &str = "DDD_CHAOS_WORKER_BEFORE";

#[allow(dead_code, reason = "held, and never looked at")]
enum Machine {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    pub(crate) ledger: Reader,
    /// What the driver submitted and was acknowledged.
    pub(crate) acknowledged: Vec<TaskId>,
    /// How long anything may take that happens unless something is broken.
    pub(crate) patience: Duration,
    app: Option<App>,
    machine: Option<Machine>,
}

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) pid: u32,
}

impl Scene {
    /// A new scene in an empty folder. `DDD_CHAOS_STORE` names another store; `{scene}` in it is replaced by a name that no
    /// other scene has.
    pub(crate) fn new(name: &str) -> Self {
        Self::within(name, Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// The same while no other scene goes on: it waits for them, and they for it.
    pub(crate) fn alone(mut self) -> Self {
        self.machine = None;
        self.machine = Some(Machine::Alone(MACHINE.write()));
        self
    }

    /// The same in a folder of this folder.
    pub(crate) fn within(name: &str, parent: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("chaos_{name}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = parent.join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let store = match std::env::var("DDD_CHAOS_STORE") {
            Ok(url) => url.replace("{scene}", &name),
            Err(_) => format!("sqlite:{}", folder.join("tasks.db").display()),
        };
        let ledger = folder.join("ledger");
        let options = Options { store, ledger: ledger.clone(), ..Options::default() };
        Self {
            folder,
            options,
            ledger: Reader::open(&ledger),
            acknowledged: Vec::new(),
            patience: Duration::from_secs(90),
            app: None,
            machine: Some(Machine::Shared(MACHINE.read_recursive())),
        }
    }

    /// Over PostgreSQL, on the server of all tests and in a schema of its own; unless `DDD_CHAOS_STORE` names another store.
    pub(crate) fn on_postgres(mut self) -> Self {
        if std::env::var_os("DDD_CHAOS_STORE").is_none() {
            let server = ddd_benches::PostgresServer::shared().unwrap_or_else(|it| panic!("{it}"));
            let schema = self.folder.file_name().unwrap().to_str().unwrap();
            let separator = if server.url().contains('?') { '&' } else { '?' };
            self.options.store = format!("{}{separator}namespace={schema}&connections=4", server.url());
        }
        self
    }

    pub(crate) fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.options.bug = bug;
        self
    }

    /// With this lease, and heartbeats five times as often.
    pub(crate) fn with_lease(mut self, millis: u64) -> Self {
        self.options.lease = Duration::from_millis(millis);
        self.options.heartbeat = Duration::from_millis(millis / 5);
        self
    }

    /// Its processes hear nothing of what the store tells unasked.
    pub(crate) fn deaf(mut self) -> Self {
        self.options.deaf = true;
        self
    }

    /// The driver's own application: it submits and looks, and runs nothing. It has no bug: it sees what is there.
    pub(crate) async fn app(&mut self) -> App {
        if self.app.is_none() {
            let options = Options { bug: None, deaf: false, ..self.options.clone() };
            let builder = node::builder(&options, App::builder()).await.unwrap();
            self.app = Some(builder.submit_only().build().await.unwrap());
        }
        self.app.clone().unwrap()
    }

    pub(crate) fn start(&self, role: &str) -> Process {
        Process::start(&Options { role: role.to_owned(), ..self.options.clone() })
    }

    /// Submits measured tasks whose bodies take so many milliseconds, a hundred at once.
    pub(crate) async fn submit(&mut self, count: u32, millis: RangeInclusive<u64>) {
        let app = self.app().await;
        let mut random = fastrand::Rng::with_seed(count.into());
        let tasks: Vec<_> = (0..count).map(|number| measured { number, millis: random.u64(millis.clone()) }).collect();
        for batch in tasks.chunks(100) {
            let batch = batch.iter().map(|it| measured { number: it.number, millis: it.millis });
            for answer in app.submit_many(batch).await.unwrap() {
                self.acknowledged.push(answer.unwrap().id());
            }
        }
    }

    /// Waits until all tasks have ended.
    ///
    /// # Errors
    /// They do not.
    pub(crate) async fn settle(&mut self, within: Duration) -> Result<(), String> {
        let (app, began) = (self.app().await, Instant::now());
        loop {
            let now = app.tasks().statistics().await.map_err(|it| format!("the store does not answer: {it:?}"))?.now;
            if now.queued() + now.get(TaskStatus::Running) == 0 {
                return Ok(());
            }
            if began.elapsed() > within {
                return Err(format!("after {within:?} not all has ended: {now:?}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All records of the store.
    pub(crate) async fn records(&mut self) -> BTreeMap<TaskId, TaskRecord> {
        let (app, mut records, mut cursor) = (self.app().await, BTreeMap::new(), None);
        loop {
            let page = app.tasks().list(Filter::all(), cursor, 500).await.unwrap();
            let found = app.tasks().get_many(page.items.iter().map(|it| it.id)).await.unwrap();
            records.extend(found.into_iter().flatten().map(|it| (it.id, it)));
            cursor = page.next;
            if cursor.is_none() {
                return records;
            }
        }
    }

    /// Waits until the ledger is as wanted.
    ///
    /// # Errors
    /// It never is.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Reader) -> bool) -> Result<(), String> {
        let began = Instant::now();
        while !wanted(self.ledger.read()) {
            if began.elapsed() > self.patience {
                return Err(format!("{what} did not come within {:?}", self.patience));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.app = None;
        let _ = std::fs::remove_dir_all(&self.folder);
        // A file that lies elsewhere, with what SQLite keeps beside it.
        for suffix in ["", "-wal", "-shm"] {
            file_of(&self.options.store).map(|it| std::fs::remove_file(format!("{it}{suffix}")));
        }
    }
}

impl Process {
    /// Starts one with these options.
    pub(crate) fn start(options: &Options) -> Self {
        let before = std::env::var_os(WORKER_BEFORE).filter(|_| options.deployment == 1);
        let program = before.unwrap_or_else(|| env!("CARGO_BIN_EXE_chaos-worker").into());
        let mut command = Command::new(program);
        let child = command.args(arguments(options)).stdin(Stdio::piped()).spawn().unwrap();
        Self { pid: child.id(), child }
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.pid.to_string()]).status().unwrap();
        assert!(status.success(), "the process {} cannot be told {name}", self.pid);
    }

    /// Stops it, and waits until it stands still.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        let began = Instant::now();
        // A signal is taken in the end of a time slice: what it does before belongs to the time before.
        while !std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap().contains(") T ") {
            assert!(began.elapsed() < Duration::from_secs(10), "the process {} does not stop", self.pid);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The options as `name=value`, which the worker reads again.
fn arguments(options: &Options) -> Vec<String> {
    let mut arguments = vec![
        format!("role={}", options.role),
        format!("store={}", options.store),
        format!("ledger={}", options.ledger.display()),
        format!("slots={}", options.slots),
        format!("lease={}", options.lease.as_millis()),
        format!("heartbeat={}", options.heartbeat.as_millis()),
        format!("store_timeout={}", options.store_timeout.as_millis()),
        format!("deaf={}", options.deaf),
        format!("from={}", options.from),
        format!("count={}", options.count),
        format!("batch={}", options.batch),
        format!("deployment={}", options.deployment),
        format!("speed={}", options.speed),
    ];
    arguments.extend(options.bug.map(|it| format!("bug={it:?}")));
    arguments.extend(options.config.as_ref().map(|it| format!("config={}", it.display())));
    arguments
}
