use std::fmt;

use ddd_core::TaskId;
use serde::{Serialize, Serializer};

/// Where more about a task is.
#[derive(Debug, Serialize)]
pub(crate) struct Links<'a> {
    #[serde(rename = "self")]
    record: Link<'a>,
    status: Link<'a>,
    result: Link<'a>,
    stream: Link<'a>,
}

impl<'a> Links<'a> {
    /// The links of a task; the routes are below `base`.
    pub(crate) fn new(base: &'a str, id: TaskId) -> Self {
        let link = |rest| Link { base, id, rest };
        Self { record: link(""), status: link("/status"), result: link("/result"), stream: link("/stream") }
    }
}

/// The path of a task, or of something of it.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    base: &'a str,
    id: TaskId,
    rest: &'static str,
}

impl<'a> Link<'a> {
    /// The path of a task.
    pub(crate) const fn new(base: &'a str, id: TaskId) -> Self {
        Self { base, id, rest: "" }
    }
}

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, id, rest } = self;
        write!(f, "{base}/tasks/{id}{rest}")
    }
}

impl Serialize for Link<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
