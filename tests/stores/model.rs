use std::time::Duration;

use ddd_core::{
    Name, Priority, TaskId, TaskStatus, Timestamp,
    domain::{Fence, Rank, RankStep, Until},
    ports::{AttemptEnd, Controlled, Due, Enqueued, Finished, NewTask},
};

/// What the model knows of one task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) queue: Name,
    pub(crate) priority: Priority,
    pub(crate) status: TaskStatus,
    pub(crate) run: u32,
    pub(crate) attempt: u32,
    pub(crate) crashes: u32,
    pub(crate) fence: Fence,
    pub(crate) due: Timestamp,
    pub(crate) cancelled: bool,
    pub(crate) still_running: bool,
    ended: Fence,
    seq: u64,
    lease: Timestamp,
    key: Option<(String, u32)>,
    unique: Option<(String, Until)>,
    permit: bool,
}

/// One queue of the model.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: Name,
    pub(crate) max_depth: Option<usize>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) paused: bool,
}

/// The rules of a store in the plainest words: one list of tasks that is searched from end to end for everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: Vec<Task>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) now: Timestamp,
    /// Until when the last heartbeat renewed what it named.
    pub(crate) renewed_until: Timestamp,
    uniques: Vec<(String, TaskId, Option<Timestamp>)>,
    seq: u64,
}

pub(crate) const LEASE: Duration = Duration::from_secs(15);
pub(crate) const CRASHES_UNTIL_ALONE: u32 = 2;
pub(crate) const CRASHES_UNTIL_FAILED: u32 = 3;

fn rank(it: &Task) -> (Rank, u64) {
    (Rank::new(it.due, it.priority, RankStep::default()), it.seq)
}

impl Model {
    pub(crate) fn index(&self, id: TaskId) -> Option<usize> {
        self.tasks.iter().position(|it| it.id == id)
    }

    fn due(&self, due: Due) -> Timestamp {
        match due {
            Due::In(delay) => self.now.after(delay),
            Due::At(at) => at,
            _ => self.now,
        }
    }

    fn holder(&self, key: &str) -> Option<TaskId> {
        let holds =
            |it: &&(String, TaskId, Option<Timestamp>)| it.0 == key && it.2.is_none_or(|until| until > self.now);
        self.uniques.iter().find(holds).map(|it| it.1)
    }

    fn take_unique(&mut self, key: &str, id: TaskId, until: Until) {
        self.uniques.retain(|it| it.0 != key);
        let until = if let Until::Elapsed(it) = until { Some(self.now.after(it)) } else { None };
        self.uniques.push((key.to_owned(), id, until));
    }

    fn has_permit_free(&self, (key, limit): &(String, u32)) -> bool {
        let holders = self.tasks.iter().filter(|it| it.permit && it.key.as_ref().is_some_and(|it| it.0 == *key));
        holders.count() < *limit as usize
    }

    fn make_ready(&mut self, index: usize) {
        let task = &self.tasks[index];
        self.tasks[index].status = if task.due > self.now {
            TaskStatus::Delayed
        } else if task.permit || task.key.as_ref().is_none_or(|it| self.has_permit_free(it)) {
            self.tasks[index].permit = self.tasks[index].key.is_some();
            TaskStatus::Pending
        } else {
            TaskStatus::Blocked
        };
        self.settle(index);
    }

    /// After a change of status: gives back what the new one does not need.
    fn settle(&mut self, index: usize) {
        let task = &self.tasks[index];
        let keeps = matches!(task.status, TaskStatus::Pending | TaskStatus::Running) || task.still_running;
        if task.status.is_terminal()
            && let Some((key, Until::Finished)) = &task.unique
        {
            let (key, id) = (key.clone(), task.id);
            self.uniques.retain(|it| !(it.0 == key && it.1 == id && it.2.is_none()));
        }
        if !self.tasks[index].permit || keeps {
            return;
        }
        self.tasks[index].permit = false;
        let Some(key) = self.tasks[index].key.clone() else { return };
        while self.has_permit_free(&key) {
            let waits = |it: &&usize| {
                let it = &self.tasks[**it];
                it.status == TaskStatus::Blocked && it.key.as_ref().is_some_and(|it| it.0 == key.0)
            };
            let all = (0..self.tasks.len()).collect::<Vec<_>>();
            let Some(next) = all.iter().filter(waits).min_by_key(|it| rank(&self.tasks[**it])) else { break };
            self.tasks[*next].permit = true;
            self.tasks[*next].status = TaskStatus::Pending;
        }
    }

    pub(crate) fn waiting(&self, queue: &Name) -> usize {
        self.tasks.iter().filter(|it| it.queue == *queue && it.status.is_queued()).count()
    }

    /// `None` stands for: refused because the queue is full.
    pub(crate) fn enqueue(&mut self, task: &NewTask) -> Option<Enqueued> {
        if self.index(task.id).is_some() {
            return Some(Enqueued::AlreadyCreated);
        }
        let label = task.label.as_deref();
        let unique = label.and_then(|it| Some((it.unique_key.clone()?, task.unique_until?)));
        if let Some(holder) = unique.as_ref().and_then(|it| self.holder(&it.0)) {
            return Some(Enqueued::Duplicate(holder));
        }
        let depth = self.queues.iter().find(|it| it.name == task.queue).and_then(|it| it.max_depth);
        if depth.is_some_and(|it| self.waiting(&task.queue) >= it) {
            return None;
        }
        if let Some((key, until)) = &unique {
            self.take_unique(key, task.id, *until);
        }
        self.seq += 1;
        self.tasks.push(Task {
            id: task.id,
            queue: task.queue.clone(),
            priority: task.priority,
            status: TaskStatus::Pending,
            run: 1,
            attempt: 0,
            crashes: 0,
            fence: Fence::default(),
            due: self.due(task.due),
            cancelled: false,
            still_running: false,
            ended: Fence::default(),
            seq: self.seq,
            lease: Timestamp::MAX,
            key: label.and_then(|it| Some((it.concurrency_key.clone()?, it.concurrency_limit))),
            unique,
            permit: false,
        });
        let last = self.tasks.len() - 1;
        self.make_ready(last);
        Some(Enqueued::Created(self.tasks[last].status))
    }

    pub(crate) fn promote(&mut self) {
        let is_due = |it: &Task| matches!(it.status, TaskStatus::Delayed | TaskStatus::Retrying) && it.due <= self.now;
        let mut due = (0..self.tasks.len()).filter(|it| is_due(&self.tasks[*it])).collect::<Vec<_>>();
        due.sort_by_key(|it| (self.tasks[*it].due, self.tasks[*it].seq));
        due.into_iter().for_each(|it| self.make_ready(it));
    }

    /// The ids and fences that a claim hands out; whether the task runs alone; whether one waits to.
    pub(crate) fn claim(&mut self, max: usize, idle: bool) -> (Vec<(TaskId, Fence)>, bool, bool) {
        self.promote();
        let mut claimed = Vec::new();
        while claimed.len() < max {
            let may = |it: &Task| {
                let queue = self.queues.iter().find(|queue| queue.name == it.queue).unwrap();
                let occupies = |other: &&Task| {
                    other.queue == it.queue && (other.status == TaskStatus::Running || other.still_running)
                };
                let occupied = self.tasks.iter().filter(occupies).count();
                it.status == TaskStatus::Pending && !queue.paused && queue.concurrency.is_none_or(|it| occupied < it)
            };
            let ready = (0..self.tasks.len()).filter(|it| may(&self.tasks[*it]));
            let Some(next) = ready.min_by_key(|it| rank(&self.tasks[*it])) else { break };
            let alone = self.tasks[next].crashes >= CRASHES_UNTIL_ALONE;
            if alone && !(idle && claimed.is_empty()) {
                return (claimed, false, true);
            }
            let lease = self.now.after(LEASE);
            let task = &mut self.tasks[next];
            task.status = TaskStatus::Running;
            task.attempt += 1;
            task.fence = task.fence.next();
            task.lease = lease;
            claimed.push((task.id, task.fence));
            if alone {
                return (claimed, true, false);
            }
        }
        (claimed, false, false)
    }

    pub(crate) fn finish(&mut self, id: TaskId, fence: Fence, end: &AttemptEnd) -> Finished {
        let Some(index) = self.index(id) else { return Finished::Stale };
        let now = self.now;
        let task = &mut self.tasks[index];
        let held = task.status == TaskStatus::Running && task.fence == fence;
        let again = if task.ended == fence { Finished::AlreadyApplied } else { Finished::Stale };
        match end {
            AttemptEnd::Stopped if task.still_running && task.fence == fence => {
                task.still_running = false;
                let status = task.status;
                self.settle(index);
                return Finished::Applied(status);
            }
            AttemptEnd::Stopped | AttemptEnd::Overdue(_)
                if held && (task.still_running || matches!(end, AttemptEnd::Stopped)) =>
            {
                return Finished::AlreadyApplied;
            }
            _ if !held => return again,
            AttemptEnd::Overdue(_) => {
                task.still_running = true;
                return Finished::Applied(TaskStatus::Running);
            }
            _ => {}
        }
        task.ended = fence;
        task.still_running = matches!(end, AttemptEnd::Timeout { still_running: true, .. });
        let to = match end {
            AttemptEnd::Timeout { .. } if task.still_running => TaskStatus::Timeout,
            _ if task.cancelled => TaskStatus::Cancelled,
            AttemptEnd::Success { .. } => TaskStatus::Success,
            AttemptEnd::Failed(_) => TaskStatus::Failed,
            AttemptEnd::Timeout { .. } => TaskStatus::Timeout,
            AttemptEnd::Cancelled(_) => TaskStatus::Cancelled,
            AttemptEnd::Retry { delay, .. } => {
                task.due = now.after(*delay);
                TaskStatus::Retrying
            }
            AttemptEnd::Snooze { delay } => {
                task.due = now.after(*delay);
                task.attempt -= 1;
                TaskStatus::Delayed
            }
            _ => {
                task.attempt -= 1;
                task.fence = task.fence.next();
                TaskStatus::Pending
            }
        };
        task.status = to;
        let is_due = matches!(to, TaskStatus::Retrying | TaskStatus::Delayed) && task.due <= now;
        self.settle(index);
        if is_due {
            self.make_ready(index);
        }
        Finished::Applied(self.tasks[index].status)
    }

    pub(crate) fn heartbeat(&mut self, held: &[(TaskId, Fence)]) {
        let lease = self.now.after(LEASE);
        self.renewed_until = lease;
        for it in &mut self.tasks {
            if held.contains(&(it.id, it.fence)) && (it.status == TaskStatus::Running || it.still_running) {
                it.lease = lease;
            }
        }
    }

    pub(crate) fn reap(&mut self) {
        self.promote();
        for index in 0..self.tasks.len() {
            let task = &mut self.tasks[index];
            if !(task.status == TaskStatus::Running || task.still_running) || task.lease > self.now {
                continue;
            }
            task.still_running = false;
            if task.status == TaskStatus::Running {
                // A worker that gave a sign of life since, without naming it, lives.
                let has_died = self.renewed_until <= task.lease;
                task.crashes += u32::from(has_died);
                if task.cancelled {
                    task.status = TaskStatus::Cancelled;
                } else if has_died && task.crashes >= CRASHES_UNTIL_FAILED {
                    task.status = TaskStatus::Failed;
                } else {
                    task.status = TaskStatus::Pending;
                    task.attempt -= 1;
                }
            }
            self.settle(index);
        }
        let now = self.now;
        self.uniques.retain(|it| it.2.is_none_or(|until| until > now));
    }

    pub(crate) fn cancel(&mut self, id: TaskId) -> Controlled {
        let Some(index) = self.index(id) else { return Controlled::Unknown };
        let task = &mut self.tasks[index];
        match task.status {
            TaskStatus::Running => {
                task.cancelled = true;
                Controlled::Requested { fence: task.fence }
            }
            status if status.is_terminal() => Controlled::Refused(status),
            _ => {
                task.status = TaskStatus::Cancelled;
                self.settle(index);
                Controlled::Applied(TaskStatus::Cancelled)
            }
        }
    }

    pub(crate) fn retry(&mut self, id: TaskId) -> Controlled {
        let Some(index) = self.index(id) else { return Controlled::Unknown };
        let (now, seq) = (self.now, self.seq + 1);
        let task = &mut self.tasks[index];
        if !task.status.is_terminal() || task.still_running {
            return Controlled::Refused(task.status);
        }
        self.seq = seq;
        (task.run, task.attempt, task.crashes, task.cancelled) = (task.run + 1, 0, 0, false);
        (task.due, task.seq, task.status) = (now, seq, TaskStatus::Pending);
        if let Some((key, Until::Finished)) = task.unique.clone()
            && self.holder(&key).is_none()
        {
            self.take_unique(&key, id, Until::Finished);
        }
        self.make_ready(index);
        Controlled::Applied(self.tasks[index].status)
    }

    pub(crate) fn reprioritise(&mut self, id: TaskId, priority: Option<Priority>, due: Option<Due>) -> Controlled {
        let Some(index) = self.index(id) else { return Controlled::Unknown };
        let due = due.map(|it| self.due(it));
        let now = self.now;
        let task = &mut self.tasks[index];
        if !task.status.is_queued() {
            return Controlled::Refused(task.status);
        }
        task.priority = priority.unwrap_or(task.priority);
        task.due = due.unwrap_or(task.due);
        let stays = match task.status {
            TaskStatus::Retrying | TaskStatus::Delayed => task.due > now,
            TaskStatus::Blocked => task.due <= now,
            _ => false,
        };
        if !stays {
            self.make_ready(index);
        }
        Controlled::Applied(self.tasks[index].status)
    }
}
