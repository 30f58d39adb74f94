//! What an API is made from.

use std::{sync::Arc, time::Duration};

use ddd_core::{App, Quota};

use crate::{
    access::Access,
    health::{Check, Health, Thresholds},
    limits::Limits,
    stream::StreamLimits,
};

/// What an API is made from.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) app: App,
    pub(crate) access: Arc<Access>,
    /// The largest body of a submission, in bytes.
    pub(crate) submit_body: usize,
    /// How often one caller may submit.
    pub(crate) submissions: Option<Quota>,
    pub(crate) checks: Vec<Check>,
    pub(crate) check_timeout: Duration,
    pub(crate) thresholds: Thresholds,
    pub(crate) version: Option<String>,
    pub(crate) streams: StreamLimits,
    /// Whether no trace of a caller's goes on here.
    pub(crate) own_traces: bool,
}

impl Settings {
    pub(crate) fn new(app: App, access: Access) -> Self {
        Self {
            app,
            access: Arc::new(access),
            submit_body: Limits::SUBMIT_BODY,
            submissions: None,
            checks: Vec::new(),
            check_timeout: Health::TIMEOUT,
            thresholds: Thresholds::default(),
            version: None,
            streams: StreamLimits::default(),
            own_traces: false,
        }
    }
}
