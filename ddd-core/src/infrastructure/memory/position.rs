//! How many tasks are handed out before another.

use super::{entry::DueOrder, state::State};
use crate::{
    domain::{Priority, RankStep, TaskId, TaskStatus, Timestamp},
    ports::Position,
};

impl State {
    pub(super) fn position(&self, id: TaskId, most: usize) -> Option<Position> {
        let entry = self.entries.at(self.entries.find(id)?);
        let record = &entry.record;
        if record.status != TaskStatus::Pending {
            return Some(Position::new(record.status, None));
        }
        let lanes = &self.queues.at(entry.queue).lanes;
        let mut ahead = 0;
        for lane in lanes.occupied() {
            let order = same_rank((record.due, entry.seq), record.priority, lane, self.settings.rank_step);
            ahead += lanes.before(lane, order, most, &self.entries);
            if ahead >= most {
                break;
            }
        }
        Some(Position::new(record.status, Some(ahead.min(most))))
    }
}

/// When a task in `lane` would have to be due to have the rank of one that is due at `due` with `priority`.
fn same_rank((due, seq): DueOrder, priority: Priority, lane: usize, step: RankStep) -> DueOrder {
    let step = i64::try_from(step.get().as_micros()).unwrap_or(i64::MAX);
    let levels = i64::try_from(lane).unwrap_or_default() + i64::from(Priority::MIN.get()) - i64::from(priority.get());
    (Timestamp::from_micros(due.as_micros().saturating_add(step.saturating_mul(levels))), seq)
}
