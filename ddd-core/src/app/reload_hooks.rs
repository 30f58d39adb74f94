//! What else follows from another configuration.

use crate::application::Configuration;

/// What is done when the configuration is read again, once all else is known to hold.
pub(super) type Prepared = Box<dyn FnOnce() + Send>;

/// Looks at another configuration, and answers what to do; or why it does not hold.
pub(super) type ReloadHook = Box<dyn Fn(&Configuration) -> Result<Prepared, String> + Send + Sync>;
