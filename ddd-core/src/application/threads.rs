use std::{collections::VecDeque, sync::Arc, thread, time::Duration};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;

/// The threads on which blocking bodies and hooks run: as many as run at once, kept a while for the next.
///
/// They are the framework's own, because the runtime's are shared with the user's code, which can fill them, and because the
/// runtime does not shut down before its own have returned: one body that never returns would keep the process alive.
#[derive(Clone, Debug)]
pub(crate) enum Threads {
    /// The framework's own, inside the application's runtime as its own would be.
    Own(Arc<Pool>, Handle),
    /// Those of the runtime: it does not advance virtual time while one of them is busy.
    OfRuntime(Handle),
}

#[derive(Debug, Default)]
pub(crate) struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
}

type Job = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} jobs, {} idle)", self.jobs.len(), self.idle)
    }
}

impl Threads {
    pub(crate) fn new(runtime: &Handle, virtual_time: bool) -> Self {
        if virtual_time { Self::OfRuntime(runtime.clone()) } else { Self::Own(Arc::default(), runtime.clone()) }
    }

    /// Whether time is the test's.
    pub(crate) const fn are_virtual(&self) -> bool {
        matches!(self, Self::OfRuntime(_))
    }

    /// Runs `job` on a thread of its own.
    ///
    /// # Errors
    /// The operating system gives no further thread; the job is dropped.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        match self {
            Self::Own(pool, runtime) => {
                let runtime = runtime.clone();
                pool.run(Box::new(move || {
                    // What it calls may look for the runtime: to spawn, or to await something in place.
                    let _inside = runtime.enter();
                    job();
                }))
            }
            Self::OfRuntime(runtime) => {
                drop(runtime.spawn_blocking(job));
                Ok(())
            }
        }
    }
}

impl Pool {
    const KEPT_IDLE: Duration = Duration::from_secs(10);

    fn run(self: &Arc<Self>, job: Job) -> std::io::Result<()> {
        let mut state = self.state.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            drop(state);
            self.work.notify_one();
            return Ok(());
        }
        // Started under the lock: until it is released, the job at the back is still this one.
        let pool = self.clone();
        let started = thread::Builder::new().name("ddd-blocking".to_owned()).spawn(move || pool.work());
        if let Err(error) = started {
            state.jobs.pop_back();
            return Err(error);
        }
        Ok(())
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let timed_out = self.work.wait_for(&mut state, Self::KEPT_IDLE).timed_out();
            state.idle -= 1;
            if timed_out && state.jobs.is_empty() {
                return;
            }
        }
    }
}
