use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use super::{attempt::RunningAttempt, finisher::Report};
use crate::ports::{Claimed, Held};

/// What a slot runs, where the rest of the worker finds it.
#[derive(Default)]
pub(crate) struct Cell(Mutex<State>);

/// A task that begins: its attempt, and what else its slot needs; or the task, if it cannot be run here.
pub(crate) type Begun<T> = Result<(Arc<RunningAttempt>, T), Box<Claimed>>;

#[derive(Default)]
struct State {
    attempt: Option<Arc<RunningAttempt>>,
    /// Claimed with it, and to be run after it.
    next: VecDeque<Claimed>,
    /// The ends of what was claimed and run with it, not reported yet.
    reports: Vec<Report>,
}

impl Cell {
    /// The attempt that runs in the slot.
    pub(crate) fn attempt(&self) -> Option<Arc<RunningAttempt>> {
        self.0.lock().attempt.clone()
    }

    /// The task before has ended, if there was one and it has not been said: its report waits with those before it. The next one
    /// in line begins: `begin` takes it out, with the attempt that it makes of it, if it can be run here. `None` if the line is
    /// empty.
    #[inline(always)]
    pub(crate) fn turn<T>(
        &self,
        report: &mut Option<Report>,
        begin: impl FnOnce(&mut VecDeque<Claimed>) -> Option<Begun<T>>,
    ) -> Option<Begun<T>> {
        let mut state = self.0.lock();
        state.attempt = None;
        state.reports.extend(report.take());
        let begun = begin(&mut state.next)?;
        state.attempt = begun.as_ref().ok().map(|it| it.0.clone());
        Some(begun)
    }

    /// It has ended. Its report waits with those before it.
    pub(crate) fn end(&self, report: Option<Report>) {
        let mut state = self.0.lock();
        state.attempt = None;
        state.reports.extend(report);
    }

    /// Takes what waits to be reported, unless there is more to be run first. `room` is empty.
    pub(crate) fn take_reports(&self, room: &mut Vec<Report>) {
        let mut state = self.0.lock();
        if state.next.is_empty() {
            std::mem::swap(&mut state.reports, room);
        }
    }

    /// What is to be run, when all that was there before is done.
    pub(crate) fn line_up(&self, tasks: VecDeque<Claimed>) {
        let before = std::mem::replace(&mut self.0.lock().next, tasks);
        debug_assert!(before.is_empty(), "a slot takes more when its line is empty");
    }

    /// Empties the line, because the slot cannot get to it soon: what was not run, and what was not reported.
    pub(crate) fn clear(&self) -> (VecDeque<Claimed>, Vec<Report>) {
        let mut state = self.0.lock();
        (std::mem::take(&mut state.next), std::mem::take(&mut state.reports))
    }

    /// Takes a task out of the line.
    pub(crate) fn take_out(&self, held: Held) -> Option<Claimed> {
        let mut state = self.0.lock();
        let place = state.next.iter().position(|it| it.id == held.id && it.fence == held.fence)?;
        state.next.remove(place)
    }

    /// The claims that wait in the line, and those whose ends are not reported yet.
    pub(crate) fn held(&self) -> Vec<Held> {
        let state = self.0.lock();
        let next = state.next.iter().map(|it| Held { id: it.id, fence: it.fence });
        let ended = state.reports.iter().map(|it| Held { id: it.finish.id, fence: it.finish.fence });
        next.chain(ended).collect()
    }
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cell").field(&self.attempt()).finish()
    }
}
