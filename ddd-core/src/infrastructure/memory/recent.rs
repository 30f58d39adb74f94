use std::time::Duration;

use crate::domain::{Counts, TaskStatus, Timestamp};

const MINUTES: usize = 24 * 60;
const SECONDS: usize = 60;
const TERMINAL: [TaskStatus; 4] = [TaskStatus::Success, TaskStatus::Failed, TaskStatus::Cancelled, TaskStatus::Timeout];

/// How many runs ended lately, by minute and by second, in rings of fixed size.
#[derive(Debug)]
pub(super) struct Recent {
    minutes: Box<[(i64, [u32; TERMINAL.len()])]>,
    seconds: Box<[(i64, u32)]>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { minutes: vec![(i64::MIN, [0; 4]); MINUTES].into(), seconds: vec![(i64::MIN, 0); SECONDS].into() }
    }
}

fn slot<T>(ring: &mut [(i64, T)], number: i64, empty: T) -> &mut T {
    let index = usize::try_from(number.rem_euclid(ring.len() as i64)).unwrap_or_default();
    let entry = &mut ring[index];
    if entry.0 != number {
        *entry = (number, empty);
    }
    &mut entry.1
}

impl Recent {
    pub(super) fn add(&mut self, status: TaskStatus, now: Timestamp) {
        let second = now.as_micros().div_euclid(1_000_000);
        *slot(&mut self.seconds, second, 0) += 1;
        if let Some(which) = TERMINAL.iter().position(|it| *it == status) {
            slot(&mut self.minutes, second.div_euclid(60), [0; 4])[which] += 1;
        }
    }

    pub(super) fn last_day(&self, now: Timestamp) -> Counts {
        let minute = now.as_micros().div_euclid(60_000_000);
        let mut counts = Counts::default();
        let recent = self.minutes.iter().filter(|(it, _)| *it <= minute && *it > minute - MINUTES as i64);
        for (_, numbers) in recent {
            for (status, number) in TERMINAL.iter().zip(numbers) {
                counts.add_many(*status, u64::from(*number));
            }
        }
        counts
    }

    /// Runs per second over the last minute.
    pub(super) fn throughput(&self, now: Timestamp) -> f64 {
        let second = now.as_micros().div_euclid(1_000_000);
        let recent = self.seconds.iter().filter(|(it, _)| *it <= second && *it > second - SECONDS as i64);
        let count: u64 = recent.map(|(_, number)| u64::from(*number)).sum();
        count as f64 / Duration::from_secs(SECONDS as u64).as_secs_f64()
    }
}
