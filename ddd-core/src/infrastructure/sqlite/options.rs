use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    domain::{LONGEST_DURATION, closest},
    infrastructure::clock::SystemClock,
    ports::{Clock, StoreError, StoreErrorKind},
};

/// SQLite counts the milliseconds of its own wait in 32 bits: 24 days.
const LONGEST_BUSY: Duration = Duration::from_millis(i32::MAX as u64);

/// What an acknowledgement of the store is worth. Each further one is faster, and its name says what it loses.
///
/// A killed process loses nothing in any of them: what was acknowledged is with the operating system by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// What was acknowledged is on the disk: `synchronous = FULL`.
    ///
    /// Claims, heartbeats and progress are not acknowledgements of work, and are synced with what comes next: after a power
    /// cut a task that was claimed in the last moments is ready again as if it had not been.
    #[default]
    Full,
    /// A power cut loses the commits since the last checkpoint, and leaves the file intact: `synchronous = NORMAL`.
    PowerCutLosesTheLastCommits,
    /// A power cut may leave a file that cannot be read: `synchronous = OFF`. For what can be thrown away.
    PowerCutMayDestroyTheFile,
}

impl Durability {
    /// The value of `PRAGMA synchronous`.
    pub(super) const fn synchronous(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::PowerCutLosesTheLastCommits => "NORMAL",
            Self::PowerCutMayDestroyTheFile => "OFF",
        }
    }
}

/// How an SQLite file is opened. Made by [`SqliteStore::options`](crate::SqliteStore::options).
#[derive(Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) busy_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) readers: usize,
    pub(super) cache_kib: u32,
    pub(super) max_bytes: Option<u64>,
    pub(super) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("durability", &self.durability)
            .field("busy_timeout", &self.busy_timeout)
            .finish_non_exhaustive()
    }
}

impl SqliteOptions {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            durability: Durability::default(),
            busy_timeout: Duration::from_secs(4),
            read_timeout: Duration::from_secs(4),
            readers: 2,
            cache_kib: 8 * 1_024,
            max_bytes: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// With this durability; [`Durability::Full`] unless set.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// So long a write waits for those of other processes before it is given up with a transient error. 4 s unless set, which
    /// is less than the `store_timeout` of an application.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// So long after it was asked a question (a record, a list, the statistics) is given up with a transient error, whether it
    /// still waited for those before it or was being read. 4 s unless set, which is less than the `store_timeout` of an
    /// application. Zero is refused when the file is opened.
    pub const fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// So many threads read at once, each with a connection of its own. 2 unless set, at least 1.
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = if readers == 0 { 1 } else { readers };
        self
    }

    /// So much of the file each writing connection keeps in memory, in KiB; 8 MiB unless set. A reading one keeps a quarter of
    /// that.
    pub const fn cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }

    /// The file grows to at most so many bytes, beside its log; without a bound unless set. What would need more is refused as if
    /// the disk were full, with [`StoreErrorKind::NoSpace`].
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// On another clock than the operating system's, such as a test's. All processes on one file must agree on the time.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What `sqlite:<path>?<option>=<value>&…` says. The options are `durability` (`full`, `normal` or `off`),
    /// `busy_timeout_ms` and `read_timeout_ms`.
    ///
    /// # Errors
    /// It is not of that form, or gives no time to read.
    pub fn of_url(url: &str) -> Result<Self, StoreError> {
        let rest = url.strip_prefix("sqlite:").ok_or_else(|| {
            wrong("the address of an SQLite file begins with `sqlite:`; write `sqlite:tasks.db`".to_owned())
        })?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() || path == ":memory:" {
            let problem = "an SQLite store needs a file; write `sqlite:tasks.db`, or `memory:` for tasks in memory";
            return Err(wrong(problem.to_owned()));
        }
        let mut options = Self::new(Path::new(path));
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (name, value) {
                ("durability", "full") => options.durability = Durability::Full,
                ("durability", "normal") => options.durability = Durability::PowerCutLosesTheLastCommits,
                ("durability", "off") => options.durability = Durability::PowerCutMayDestroyTheFile,
                ("durability", _) => {
                    return Err(wrong(format!("durability `{value}` is unknown; write `full`, `normal` or `off`")));
                }
                ("busy_timeout_ms", _) => options.busy_timeout = millis(name, value)?,
                ("read_timeout_ms", _) => options.read_timeout = millis(name, value)?,
                _ => {
                    let hint = match closest(name, ["durability", "busy_timeout_ms", "read_timeout_ms"]) {
                        Some(it) => format!("did you mean `{it}`?"),
                        None => "there are `durability`, `busy_timeout_ms` and `read_timeout_ms`".to_owned(),
                    };
                    return Err(wrong(format!("option `{name}` is unknown; {hint}")));
                }
            }
        }
        options.checked()
    }

    /// These options as the store can keep to them.
    ///
    /// # Errors
    /// There is no time to read.
    pub(super) fn checked(mut self) -> Result<Self, StoreError> {
        if self.read_timeout.is_zero() {
            return Err(wrong("`read_timeout` is zero, so nothing could be read; write some seconds".to_owned()));
        }
        self.read_timeout = self.read_timeout.min(LONGEST_DURATION);
        self.busy_timeout = self.busy_timeout.min(LONGEST_BUSY);
        Ok(self)
    }
}

fn wrong(what: String) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, what)
}

fn millis(name: &str, value: &str) -> Result<Duration, StoreError> {
    let number = value.parse();
    let number = number.map_err(|_| wrong(format!("`{name}` is `{value}`; write a whole number of milliseconds")))?;
    Ok(Duration::from_millis(number))
}
