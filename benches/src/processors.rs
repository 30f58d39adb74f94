//! Processor time of other processes, as Linux counts it.

use std::{fs, time::Duration};

/// The unit of these counters, which Linux has fixed for programs whatever its own is.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used, user and system, with all its threads; `None` if there is none of this id, or this is not Linux.
#[must_use]
pub fn processor_time(process: u32) -> Option<Duration> {
    Some(Counters::of(&process.to_string())?.own)
}

/// What a process and its children have used, those that have ended included.
pub(crate) fn of_family(parent: u32) -> Option<Duration> {
    let counters = Counters::of(&parent.to_string())?;
    let mut all = counters.own + counters.ended_children;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|it| it.bytes().all(|it| it.is_ascii_digit())) else { continue };
        if let Some(child) = Counters::of(name).filter(|it| it.parent == parent) {
            all += child.own;
        }
    }
    Some(all)
}

struct Counters {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Counters {
    fn of(process: &str) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program stands in parentheses, and may hold some itself.
        let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
        let time = |at: usize| Some(TICK * (ticks(at)? + ticks(at + 1)?));
        Some(Self { parent: ticks(1)?, own: time(11)?, ended_children: time(13)? })
    }
}
