//! The service under clients that do what clients should not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "seeds and figures are printed")]

mod crowd;
mod disconnect;
mod flood;
mod here;
mod malformed;
mod once;
mod process;
mod shapes;
mod socket;
mod terminate;

use std::time::Duration;

/// Far more than anything here takes, even on a busy machine: over it something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the long proofs are asked for.
fn is_nightly() -> bool {
    std::env::var_os("DDD_NIGHTLY").is_some()
}
