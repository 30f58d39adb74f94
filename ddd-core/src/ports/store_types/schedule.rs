//! Schedules as a store keeps them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::NewTask;
use crate::domain::{Name, Timestamp};

/// What is asked of the schedules.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ScheduleCommand {
    /// Creates a schedule, or changes the rule and task of an existing one; its pause and its last tick stay. If the rule
    /// is the same, its next tick stays too.
    Put(Box<ScheduleRecord>),
    /// Removes one.
    Delete(Name),
    /// Pauses (`true`) or resumes one. `next` is its next tick from now, written at a resume.
    Pause {
        /// Which.
        name: Name,
        /// Whether it is to rest.
        paused: bool,
        /// The next tick.
        next: Option<Timestamp>,
    },
    /// One by name, or all.
    List(Option<Name>),
    /// Submits `task` for the tick `tick` and writes `next`, if the schedule's next tick still is `tick` and it is not
    /// paused. Answers with the schedule if this call did it, and with nothing if another one had.
    Fire {
        /// Which.
        name: Name,
        /// The tick that is due.
        tick: Timestamp,
        /// The tick after it.
        next: Option<Timestamp>,
        /// The task of the tick.
        task: Box<NewTask>,
    },
}

/// A schedule, as a store keeps it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ScheduleRecord {
    /// Its name: that of the definition, unless it was made at run time.
    pub name: Name,
    /// The definition whose task it submits.
    pub task: Name,
    /// With which parameters.
    pub params: Arc<RawValue>,
    /// The rule as written.
    pub rule: String,
    /// The time zone of the rule, if it has one.
    pub time_zone: Option<String>,
    /// Whether it rests.
    pub paused: bool,
    /// The last tick that fired.
    pub last: Option<Timestamp>,
    /// The next tick.
    pub next: Option<Timestamp>,
}

impl ScheduleRecord {
    /// A schedule that has not fired yet.
    #[must_use]
    pub const fn new(name: Name, task: Name, params: Arc<RawValue>, rule: String, next: Option<Timestamp>) -> Self {
        Self { name, task, params, rule, time_zone: None, paused: false, last: None, next }
    }
}
