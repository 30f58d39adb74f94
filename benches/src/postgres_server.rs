//! A private PostgreSQL server for tests and measurements: in a temporary folder, on a free port, gone when this process is.

use std::{
    env, fmt, fs, io,
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::processors::of_family;

/// Use this server instead of a private one: its URL, of a role that may make schemas.
const URL: &str = "DDD_TEST_POSTGRES_URL";
/// So long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    url: String,
    own: Option<Own>,
}

/// A server that this process has started.
#[derive(Debug)]
struct Own {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    syncs: bool,
    /// Holds the server's end: when its input ends, which it does with this process however that ends, it stops the server and
    /// removes the folder.
    #[allow(dead_code, reason = "held for its input")]
    guard: Child,
}

/// Why there is no server.
#[derive(Debug)]
pub struct NoServer(String);

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no PostgreSQL for tests: {}", self.0)
    }
}

impl std::error::Error for NoServer {}

impl From<io::Error> for NoServer {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl PostgresServer {
    /// The server that all tests of this process share: the one that `DDD_TEST_POSTGRES_URL` names, or a private one that does
    /// not sync, because tests that kill the machine are no tests of this kind.
    ///
    /// # Errors
    /// There is neither.
    pub fn shared() -> Result<&'static Self, &'static NoServer> {
        static SHARED: OnceLock<Result<PostgresServer, NoServer>> = OnceLock::new();
        let start = || match env::var(URL) {
            Ok(url) => Ok(Self { url, own: None }),
            Err(_) => Self::start(false),
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// Starts a private server; `syncs` as servers in production do.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or does not start.
    pub fn start(syncs: bool) -> Result<Self, NoServer> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let programs = programs().ok_or_else(|| {
            NoServer(format!("its programs are not installed; run `make services`, or set {URL} to a server's URL"))
        })?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("ddd-postgres-{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let user = unprivileged()?;
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let own = Own { guard: guard(&folder)?, programs, folder, port, user, syncs };
        own.initialise()?;
        own.run()?;
        Ok(Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), own: Some(own) })
    }

    /// Its URL, over TCP.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A name for a schema that no test has used.
    #[must_use]
    pub fn fresh_namespace(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let started =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
        format!("t{started:x}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    /// What it has written to its log; nothing if it is not private.
    #[must_use]
    pub fn log(&self) -> String {
        let own = self.own.as_ref();
        own.and_then(|it| fs::read(it.folder.join("log")).ok())
            .map_or_else(String::new, |it| String::from_utf8_lossy(&it).into_owned())
    }

    /// Processor time that it has used so far, user and system, with all its processes; `None` if it is not private, or this is
    /// not Linux.
    #[must_use]
    pub fn processor_time(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.own.as_ref()?.folder.join("data/postmaster.pid")).ok()?;
        of_family(text.lines().next()?.parse().ok()?)
    }

    /// Stops it as a crash does, without a last word to anybody, and starts it again.
    ///
    /// # Errors
    /// It is not private, or does not come back.
    pub fn crash_and_restart(&self) -> Result<(), NoServer> {
        let own = self.own.as_ref().ok_or_else(|| NoServer("only a private one can be restarted".to_owned()))?;
        own.control(&["stop", "-m", "immediate", "-w"])?;
        own.run()
    }
}

impl Own {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(&self.folder);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn initialise(&self) -> Result<(), NoServer> {
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(self.folder.join("data"));
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
        done(initdb.stderr(Stdio::piped()), "initdb")
    }

    fn run(&self) -> Result<(), NoServer> {
        let sync = if self.syncs { "on" } else { "off" };
        let options = format!(
            "-k {} -h 127.0.0.1 -p {} -c fsync={sync} -c full_page_writes={sync} -c max_connections=300 \
             -c shared_buffers=256MB -c max_wal_size=2GB",
            self.folder.display(),
            self.port
        );
        self.control(&["start", "-w", "-l", "log", "-o", &options])?;
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if began.elapsed() > PATIENCE {
                return Err(NoServer("the server does not listen".to_owned()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn control(&self, arguments: &[&str]) -> Result<(), NoServer> {
        let mut control = self.command("pg_ctl");
        done(control.arg("-D").arg(self.folder.join("data")).args(arguments), "pg_ctl")
    }
}

fn done(command: &mut Command, what: &str) -> Result<(), NoServer> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(NoServer(format!("{what} failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// A process that waits for the end of this one, and then stops the server by its id and removes the folder.
fn guard(folder: &Path) -> io::Result<Child> {
    let script = "trap '' INT TERM HUP; cat >/dev/null; pid=$(head -n 1 \"$0/data/postmaster.pid\" 2>/dev/null); \
                  [ -n \"$pid\" ] && kill -QUIT \"$pid\" 2>/dev/null; \
                  i=0; while [ -n \"$pid\" ] && kill -0 \"$pid\" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; \
                  rm -rf \"$0\"";
    Command::new("sh")
        .args(["-c", script])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// The folder of PostgreSQL's programs, the newest version's.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|it| it.path().join("bin"));
    let mut debian = debian.filter(|it| it.join("initdb").exists()).collect::<Vec<_>>();
    let version = |it: &PathBuf| it.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    debian.sort_by_key(version);
    let in_path = || env::split_paths(&env::var_os("PATH")?).find(|it| it.join("initdb").exists());
    debian.pop().or_else(in_path)
}

/// Whom the server runs as, if this is the superuser, as whom it refuses to.
fn unprivileged() -> io::Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt;

    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let of = |name: &str| {
        let line = users.lines().find(|it| it.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Ok(Some(of("postgres").or_else(|| of("nobody")).unwrap_or((65_534, 65_534))))
}
