//! What a submission says besides its task and its parameters.

use std::time::Duration;

use ddd_core::{Name, Priority, Registered, Submission, Timestamp};
use serde_json::Value;

use crate::{
    access::{Caller, Permission},
    problem::{Fault, Problem, codes},
    request::{members::Members, request_id, values},
};

/// Every member of a submission's body.
pub(super) const KNOWN: [&str; 14] = [
    "task_name",
    "params",
    "priority",
    "timeout",
    "max_retries",
    "task_type",
    "queue",
    "delay",
    "run_at",
    "unique_key",
    "tags",
    "request_id",
    "client_info",
    "max_attempts",
];

/// Those that a caller needs the permission for options to say.
const GRANTED: [&str; 8] =
    ["priority", "timeout", "max_retries", "max_attempts", "queue", "delay", "run_at", "unique_key"];

/// Words that somebody may look for here.
pub(super) const ELSEWHERE: [(&str, &str); 5] = [
    ("idempotency_key", "send it as the header `Idempotency-Key`"),
    ("owner", "it is whoever sends the request"),
    ("name", "write `task_name`"),
    ("parameters", "write `params`"),
    ("retries", "write `max_retries`"),
];

const MOST_TAGS: usize = 20;
const MOST_RETRIES: i64 = 1_000;
const LONGEST_KEY: usize = 200;

/// What a submission says besides its task and its parameters.
#[derive(Debug, Default)]
pub(super) struct Options {
    priority: Option<i64>,
    timeout: Option<Duration>,
    max_attempts: Option<u32>,
    pub(super) queue: Option<Name>,
    delay: Option<Duration>,
    run_at: Option<Timestamp>,
    unique_key: Option<String>,
    tags: Vec<Name>,
    pub(super) request_id: Option<String>,
}

/// # Errors
/// The submission says what its caller may not.
pub(super) fn check_granted(body: &Members<'_>, caller: &Caller) -> Result<(), Problem> {
    if caller.may(Permission::SubmitWithOptions) {
        return Ok(());
    }
    let said = GRANTED.into_iter().filter(|it| body.has(it));
    let faults: Vec<_> = said.map(|it| Fault::at(format!("/{it}"), "is not yours to say")).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let permission = Permission::SubmitWithOptions;
    Err(Problem::of(&codes::FORBIDDEN).detail(format!("this takes the permission `{permission}`")).faults(faults))
}

impl Options {
    /// Reads the options; what is wrong with them is noted in `body`.
    pub(super) fn read(body: &mut Members<'_>, registered: &Registered) -> Self {
        let range = i64::from(Priority::MIN.get())..=i64::from(Priority::MAX.get());
        let retries = body.read("max_retries", |it| values::integer(it, 0..=MOST_RETRIES));
        let attempts = body.read("max_attempts", |it| values::integer(it, 1..=MOST_RETRIES + 1));
        if retries.is_some() && attempts.is_some() {
            body.fault("max_attempts", "says the same as `max_retries`; write one of them");
        }
        let attempts = attempts.or_else(|| retries.map(|it| it + 1));
        let options = Self {
            priority: body.read("priority", |it| values::integer(it, range)),
            timeout: body.read("timeout", values::positive_duration),
            max_attempts: attempts.and_then(|it| u32::try_from(it).ok()),
            queue: body.read("queue", values::name),
            delay: body.read("delay", values::duration),
            run_at: body.read("run_at", values::timestamp),
            unique_key: body.read("unique_key", |it| values::short_text(it, LONGEST_KEY)),
            tags: body.read("tags", |it| values::names(it, MOST_TAGS)).unwrap_or_default(),
            request_id: body.read("request_id", |it| {
                let id = values::text(it)?;
                let is_good = request_id::is_valid(id.as_bytes());
                if is_good { Ok(id) } else { Err("is not 1 to 128 letters, digits, `.`, `_` and `-`".into()) }
            }),
        };
        if options.delay.is_some() && options.run_at.is_some() {
            body.fault("run_at", "says the same as `delay`; write one of them");
        }
        check_type(body, registered);
        // Taken and not kept, as ever.
        body.read("client_info", |it| match serde_json::from_str(it) {
            Ok(Value::Object(_)) => Ok(()),
            _ => Err("is not an object".into()),
        });
        options
    }

    /// The submission with these options.
    pub(super) fn apply(&mut self, mut submission: Submission<Value>) -> Submission<Value> {
        if let Some(priority) = self.priority {
            submission = submission.priority(priority);
        }
        if let Some(timeout) = self.timeout {
            submission = submission.timeout(timeout);
        }
        if let Some(attempts) = self.max_attempts {
            submission = submission.max_attempts(attempts);
        }
        if let Some(queue) = self.queue.take() {
            submission = submission.queue(queue);
        }
        if let Some(delay) = self.delay {
            submission = submission.delay(delay);
        }
        if let Some(at) = self.run_at {
            submission = submission.run_at(at);
        }
        if let Some(key) = self.unique_key.take() {
            submission = submission.unique_key(key);
        }
        if !self.tags.is_empty() {
            submission = submission.tags(std::mem::take(&mut self.tags));
        }
        submission
    }
}

/// Whether a definition's body is a plain function, as a caller names it; `None` if that is not known here.
pub(crate) const fn type_of(registered: &Registered) -> Option<&'static str> {
    let definition = registered.definition;
    if definition.is_remote() {
        None
    } else if definition.is_blocking() {
        Some("sync")
    } else {
        Some("async")
    }
}

fn check_type(body: &mut Members<'_>, registered: &Registered) {
    let Some(given) = body.read("task_type", values::word) else { return };
    match type_of(registered) {
        _ if given != "sync" && given != "async" => body.fault("task_type", "is neither `sync` nor `async`"),
        Some(is) if is != given => body.fault("task_type", format!("is not what the task is: `{is}`")),
        _ => {}
    }
}
