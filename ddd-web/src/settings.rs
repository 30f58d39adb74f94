//! What an API is made from.

use std::sync::Arc;

use ddd_core::{App, Quota};

use crate::{access::Access, limits::Limits};

/// What an API is made from.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) app: App,
    pub(crate) access: Arc<Access>,
    /// The largest body of a submission, in bytes.
    pub(crate) submit_body: usize,
    /// How often one caller may submit.
    pub(crate) submissions: Option<Quota>,
}

impl Settings {
    pub(crate) fn new(app: App, access: Access) -> Self {
        Self { app, access: Arc::new(access), submit_body: Limits::SUBMIT_BODY, submissions: None }
    }
}
