//! Time that passes faster than it does, in step in all processes: schedules then tick many times a second.

use std::{future::Future, sync::Arc, thread, time::Duration};

use ddd_core::{Clock, Timestamp};
use tokio::{sync::mpsc, time::Instant};

use crate::tasks::micros;

/// A clock that follows the runtime's timer, which [`block_on`] moves.
#[derive(Debug)]
struct Accelerated {
    origin: Instant,
    at_origin: Timestamp,
}

impl Clock for Accelerated {
    fn now(&self) -> Timestamp {
        self.at_origin.after(Instant::now().saturating_duration_since(self.origin))
    }
}

/// The accelerated instant: the same in all processes.
fn now(speed: u32) -> Timestamp {
    // Counted from a fixed instant, so that it stays within this century.
    const FIXED: u128 = 1_767_225_600_000_000;
    let since = micros().saturating_sub(FIXED) * u128::from(speed);
    Timestamp::from_micros(i64::try_from(FIXED + since).unwrap_or(i64::MAX))
}

/// Runs a future on a runtime whose time passes `speed` times as fast.
///
/// # Errors
/// The system gives no runtime; or the future's own.
pub(crate) fn block_on<F, E>(speed: u32, make: impl FnOnce(Arc<dyn Clock>) -> F) -> Result<(), E>
where
    F: Future<Output = Result<(), E>>,
    E: From<std::io::Error>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        // While a blocking task runs, the runtime does not move the time by itself.
        drop(tokio::task::spawn_blocking(|| {
            loop {
                thread::park();
            }
        }));
        let (sender, mut pulses) = mpsc::unbounded_channel();
        thread::spawn(move || {
            while sender.send(()).is_ok() {
                thread::sleep(Duration::from_millis(2));
            }
        });
        let clock = Arc::new(Accelerated { origin: Instant::now(), at_origin: now(speed) });
        let moved = clock.clone();
        tokio::spawn(async move {
            while pulses.recv().await.is_some() {
                tokio::time::advance(now(speed).since(moved.now())).await;
            }
        });
        make(clock).await
    })
}
