//! Panics as lines of the log.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::Cell,
    panic::{self, PanicHookInfo},
    sync::Once,
};

/// What becomes of panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Panics {
    /// They are logged. The hook that was there before is called only for those that are not, because the level is `off`.
    #[default]
    Logged,
    /// They are logged, and then the hook that was there before is called. The standard library's writes text to standard
    /// error, between the lines of a log that goes there too.
    LoggedAndPassedOn,
    /// Telemetry leaves them alone.
    Left,
}

thread_local! {
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's panic is being logged.
pub(super) fn is_in_hook() -> bool {
    IN_HOOK.try_with(Cell::get).unwrap_or(false)
}

/// Puts a hook before the one that is there. Only the first call counts.
pub(crate) fn install(panics: Panics) {
    static ONCE: Once = Once::new();
    if panics == Panics::Left {
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_logged = log(info);
            if !is_logged || panics == Panics::LoggedAndPassedOn {
                before(info);
            }
        }));
    });
}

/// Writes a line, in the span where the panic happened. Nothing in here may panic: that would end the process, so no code of
/// a user's runs. Answers whether the line was wanted.
fn log(info: &PanicHookInfo<'_>) -> bool {
    if !tracing::enabled!(target: "panic", tracing::Level::ERROR)
        || IN_HOOK.try_with(|it| it.replace(true)).unwrap_or(true)
    {
        return false;
    }
    let text = info.payload_as_str().unwrap_or("(its payload is no text)");
    let location = info.location().map(tracing::field::display);
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(backtrace));
    tracing::error!(target: "panic", location, thread = thread.name(), backtrace, "a panic: {text}");
    IN_HOOK.with(|it| it.set(false));
    true
}
