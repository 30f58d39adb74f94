//! The worker processes.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::Outcome;

/// A worker process, which ends with this one.
pub struct Worker(Child);

impl Worker {
    /// Starts this program once more, as a worker.
    pub fn start(file: &Path, name: &str) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        Ok(Self(Command::new(program).arg("worker").arg(file).arg(name).stdin(Stdio::null()).spawn()?))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Kills it: it has no time for a last word.
    pub fn kill(&mut self) -> Outcome {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
