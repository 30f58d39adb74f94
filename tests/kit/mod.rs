//! What several tests use, and the programs that they start.

pub mod answer;
pub mod bugs;
pub mod layer;
#[cfg(unix)]
pub mod process;
pub mod troubled;
