use std::{collections::HashMap, time::Duration};

use super::kinds::Kinds;
use crate::{
    domain::{Name, Timestamp, WorkerId},
    ports::{Declaration, WorkerState},
};

/// For so long after its last sign of life a worker may come back without declaring itself again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
struct Worker {
    state: WorkerState,
    known: HashMap<Name, u32>,
    /// Whether it knows each kind, as far as it was looked up.
    knows: Vec<bool>,
    alive_until: Timestamp,
    /// Until when its last heartbeat renewed what it named.
    renewed_until: Timestamp,
}

/// Who runs tasks.
#[derive(Debug, Default)]
pub(super) struct Workers {
    all: Vec<Worker>,
}

impl Workers {
    fn find(&self, id: WorkerId) -> Option<usize> {
        self.all.iter().position(|it| it.state.id == id)
    }

    pub(super) fn declare(&mut self, declaration: &Declaration, now: Timestamp) {
        let mut known = HashMap::new();
        for it in &declaration.known {
            let version = known.entry(it.name.clone()).or_insert(it.version);
            *version = it.version.max(*version);
        }
        let mut state = WorkerState::of(declaration, now);
        let alive_until = now.after(declaration.lease);
        if let Some(index) = self.find(declaration.worker) {
            state.started_at = self.all[index].state.started_at;
            self.all[index] =
                Worker { state, known, knows: Vec::new(), alive_until, renewed_until: self.all[index].renewed_until };
        } else {
            let renewed_until = Timestamp::default();
            self.all.push(Worker { state, known, knows: Vec::new(), alive_until, renewed_until });
        }
    }

    /// Notes a sign of life; `None` if the worker never declared itself.
    pub(super) fn seen(&mut self, id: WorkerId, lease: Duration, now: Timestamp) -> Option<usize> {
        let index = self.find(id)?;
        let worker = &mut self.all[index];
        worker.state.seen_at = now;
        worker.alive_until = worker.alive_until.max(now.after(lease));
        Some(index)
    }

    /// Notes a heartbeat.
    pub(super) fn beat(&mut self, id: WorkerId, lease: Duration, now: Timestamp) {
        if let Some(index) = self.seen(id, lease, now) {
            self.all[index].renewed_until = now.after(lease);
        }
    }

    /// Whether a worker has given a sign of life since it claimed or renewed something until `lease_until`, and did not
    /// name it: then it lives and never learned of the claim.
    pub(super) fn has_beaten_without(&self, id: WorkerId, lease_until: Timestamp) -> bool {
        self.find(id).is_some_and(|it| self.all[it].renewed_until > lease_until)
    }

    pub(super) fn withdraw(&mut self, id: WorkerId) {
        self.all.retain(|it| it.state.id != id);
    }

    pub(super) fn forget_dead(&mut self, now: Timestamp) {
        self.all.retain(|it| it.alive_until.after(FORGOTTEN_AFTER) > now);
    }

    /// Looks up the kinds that came after the last time.
    pub(super) fn learn(&mut self, kinds: &Kinds) {
        let kinds = kinds.all();
        for worker in self.all.iter_mut().filter(|it| it.knows.len() < kinds.len()) {
            let known = &worker.known;
            let news = kinds[worker.knows.len()..].iter();
            worker.knows.extend(news.map(|it| known.get(&it.name).is_some_and(|version| it.version <= *version)));
        }
    }

    pub(super) fn knows(&self, index: usize, kind: u32) -> bool {
        self.all[index].knows.get(kind as usize).copied().unwrap_or(false)
    }

    pub(super) fn anyone_knows(&self, kind: u32, now: Timestamp) -> bool {
        self.alive(now).any(|it| it.knows.get(kind as usize).copied().unwrap_or(false))
    }

    pub(super) fn anyone_lives(&self, now: Timestamp) -> bool {
        self.alive(now).next().is_some()
    }

    fn alive(&self, now: Timestamp) -> impl Iterator<Item = &Worker> {
        self.all.iter().filter(move |it| it.alive_until > now)
    }

    pub(super) fn states(&self, now: Timestamp) -> Vec<WorkerState> {
        self.alive(now).map(|it| it.state.clone()).collect()
    }
}
