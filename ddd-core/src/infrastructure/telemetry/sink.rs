//! Where lines go to.

use std::{
    cell::Cell,
    fmt,
    fs::OpenOptions,
    io::{self, IsTerminal as _, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;

use super::{error::TelemetryError, panics};

/// Takes lines, each whole and at once. A line that cannot be written is lost: logs hold nothing up.
pub(crate) struct Sink {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    /// Whether its code is not ours: it may panic, log, or do anything else.
    is_foreign: bool,
    pub(super) colours: bool,
}

thread_local! {
    /// Whether this thread is writing: what a writer logs itself goes nowhere.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

impl Sink {
    fn new(writer: impl Write + Send + 'static, colours: bool) -> Self {
        Self { writer: Arc::new(Mutex::new(Box::new(writer))), is_foreign: false, colours }
    }

    pub(crate) fn stdout() -> Self {
        Self::new(io::stdout(), wants_colours(io::stdout().is_terminal()))
    }

    pub(crate) fn stderr() -> Self {
        Self::new(io::stderr(), wants_colours(io::stderr().is_terminal()))
    }

    /// Appends to a file; makes it if there is none.
    pub(crate) fn file(path: &Path) -> Result<Self, TelemetryError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let told = |source| TelemetryError::File { path: path.to_owned(), source };
        Ok(Self::new(file.map_err(told)?, false))
    }

    pub(crate) fn writer(writer: Box<dyn Write + Send>) -> Self {
        Self { is_foreign: true, ..Self::new(writer, false) }
    }

    pub(super) fn write(&self, line: String) {
        // Looked at first: another thread would wait for the one that waits for it.
        if WRITING.try_with(Cell::get).unwrap_or(true) {
            return;
        }
        if self.is_foreign && panics::is_in_hook() {
            // A panic in here would end the process. In a thread of its own it would not.
            let writer = self.writer.clone();
            let written = std::thread::Builder::new().spawn(move || write(&writer, &line));
            let _ = written.map(std::thread::JoinHandle::join);
        } else {
            write(&self.writer, &line);
        }
    }
}

fn write(writer: &Mutex<Box<dyn Write + Send>>, line: &str) {
    WRITING.with(|it| it.set(true));
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut writer = writer.lock();
        writer.write_all(line.as_bytes()).and_then(|()| writer.flush())
    }));
    WRITING.with(|it| it.set(false));
}

fn wants_colours(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
