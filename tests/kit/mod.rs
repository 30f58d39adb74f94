//! What several tests use, and the programs that they start.

pub mod bugs;
pub mod layer;
