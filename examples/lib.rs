//! Unpublished package of the workspace: what its examples share.

use std::io::{self, Write};

use ddd_core::Configuration;

/// Prints every setting with its value and where that comes from: what the examples do if they are told `--explain-config`.
///
/// # Errors
/// Standard output is closed.
pub fn explain(configuration: &Configuration) -> io::Result<()> {
    write!(io::stdout(), "{}", configuration.explain())
}
