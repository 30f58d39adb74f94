use super::{effects::Effects, state::State};
use crate::{
    domain::Timestamp,
    ports::{Enqueued, ScheduleCommand, ScheduleRecord, StoreError, StoreErrorKind},
};

impl State {
    pub(super) fn schedule(
        &mut self,
        command: ScheduleCommand,
        now: Timestamp,
        fx: &mut Effects,
    ) -> Result<Vec<ScheduleRecord>, StoreError> {
        match command {
            ScheduleCommand::Put(schedule) => {
                let mut schedule = *schedule;
                if let Some(before) = self.schedules.get(&schedule.name) {
                    schedule.paused = before.paused;
                    schedule.last = before.last;
                    if before.rule == schedule.rule && before.time_zone == schedule.time_zone {
                        schedule.next = before.next;
                    }
                }
                self.schedules.insert(schedule.name.clone(), schedule.clone());
                Ok(vec![schedule])
            }
            ScheduleCommand::Delete(name) => Ok(self.schedules.remove(&name).into_iter().collect()),
            ScheduleCommand::Pause { name, paused, next } => {
                let Some(schedule) = self.schedules.get_mut(&name) else { return Ok(Vec::new()) };
                if schedule.paused && !paused {
                    schedule.next = next;
                }
                schedule.paused = paused;
                Ok(vec![schedule.clone()])
            }
            ScheduleCommand::List(Some(name)) => Ok(self.schedules.get(&name).cloned().into_iter().collect()),
            ScheduleCommand::List(None) => Ok(self.schedules.values().cloned().collect()),
            ScheduleCommand::Fire { name, tick, next, task } => {
                let due = self.schedules.get(&name).filter(|it| !it.paused && it.next == Some(tick));
                if due.is_none() {
                    return Ok(Vec::new());
                }
                match self.enqueue(*task, now, fx) {
                    Enqueued::Created(_)
                    | Enqueued::AlreadyCreated
                    | Enqueued::Duplicate(_)
                    | Enqueued::Replayed { .. }
                    | Enqueued::KeyReused => {}
                    // The tick stays due, so that it fires when there is room again.
                    Enqueued::Full { .. } => {
                        let reason = format!("no room in its queue for the task of schedule `{name}`");
                        return Err(StoreError::new(StoreErrorKind::Unavailable, reason));
                    }
                }
                let Some(schedule) = self.schedules.get_mut(&name) else { return Ok(Vec::new()) };
                schedule.last = Some(tick);
                schedule.next = next;
                Ok(vec![schedule.clone()])
            }
        }
    }
}
