use std::collections::{HashMap, HashSet};

use super::{
    error::{Outcome, Remedy, Trouble, corrupt},
    idempotency::key_name,
    insert::{Planned, insert, unique},
    locks::Lock,
    numbers::ids_of,
    session::Session,
    unique::Uniques,
};
use crate::{
    domain::{Name, TaskId, TaskStatus, Timestamp, Transition},
    infrastructure::sql::Effects,
    ports::{Due, Enqueued, NewTask, QueueSettings},
};

/// The instant that `due` means at `now`.
pub(super) fn due_at(due: Due, now: Timestamp) -> Timestamp {
    match due {
        Due::Now => now,
        Due::In(delay) => now.after(delay),
        Due::At(at) => at,
    }
}

/// Notes that a task was stored.
pub(super) fn note_new(fx: &mut Effects, task: &NewTask, status: TaskStatus, now: Timestamp) {
    if fx.is_heard {
        fx.transitions.push(Transition {
            id: task.id,
            name: task.name.clone(),
            queue: task.queue.clone(),
            run: 1,
            attempt: 0,
            fence: crate::domain::Fence::default(),
            from: None,
            to: status,
            at: now,
            progress: None,
        });
    }
    match status {
        TaskStatus::Pending => fx.ready(&task.queue, 1),
        // A worker that sleeps until the next due time has to look again.
        TaskStatus::Delayed => fx.ready(&task.queue, 0),
        _ => {}
    }
}

/// Whose transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// The store's own: short.
    Store,
    /// A user's: nobody knows how long it takes, so nothing is locked that the work of others needs. What needs a permit waits
    /// for its time, which has come, until the store lets it in; and the depth of a queue is that of the moment.
    User,
}

impl Session<'_> {
    /// Stores new tasks, unless something stands against them. Their queues and kinds have numbers. Waits for the keys that others
    /// hold.
    pub(super) async fn enqueue(&mut self, tasks: &[NewTask], whose: Ownership) -> Outcome<Vec<Enqueued>> {
        let said = tasks.iter().filter_map(said_name).collect::<Vec<_>>();
        let uniques = tasks.iter().filter_map(|it| Some(Lock::Unique(unique(it)?.0)));
        self.lock(said.iter().map(|it| Lock::Said(it)).chain(uniques)).await?;
        self.enqueue_locked(tasks, whose, whose == Ownership::User).await
    }

    /// The same in a transaction of the store's own, without those whose keys others hold (`None`): a user's transaction may
    /// hold one for minutes. It holds back all tasks of its submission: else their caller, who is told that they could not be
    /// stored, would submit some twice. If `are_new`, their ids were never sent before.
    pub(super) async fn enqueue_free(
        &mut self,
        tasks: &[NewTask],
        submissions: &[usize],
        are_new: bool,
    ) -> Outcome<Vec<Option<Enqueued>>> {
        let said = tasks.iter().map(said_name).collect::<Vec<_>>();
        let mut keys = Vec::new();
        for ((task, said), submission) in tasks.iter().zip(&said).zip(submissions) {
            keys.extend(said.as_deref().map(|it| (*submission, Lock::Said(it))));
            keys.extend(unique(task).map(|it| (*submission, Lock::Unique(it.0))));
        }
        let held = self.held_by_others(&keys).await?;
        if held.is_empty() {
            return Ok(self.enqueue_locked(tasks, Ownership::Store, are_new).await?.into_iter().map(Some).collect());
        }
        let free = tasks.iter().zip(submissions).filter(|it| !held.contains(it.1));
        let free = free.map(|it| it.0.clone()).collect::<Vec<_>>();
        let mut answers = self.enqueue_locked(&free, Ownership::Store, are_new).await?.into_iter();
        Ok(submissions.iter().map(|it| if held.contains(it) { None } else { answers.next() }).collect())
    }

    /// Stores new tasks whose unique and idempotency keys are locked.
    async fn enqueue_locked(&mut self, tasks: &[NewTask], whose: Ownership, are_new: bool) -> Outcome<Vec<Enqueued>> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let ids = tasks.iter().map(|it| it.id).collect::<Vec<_>>();
        let settings = self.queue_settings(tasks, whose).await?;
        if whose == Ownership::Store {
            self.lock_counts(tasks, &settings).await?;
        }
        let mut there = self.statuses(&ids).await?.into_keys().collect::<HashSet<_>>();
        let mut said = self.said_before(tasks).await?;
        let mut uniques = self.holders(tasks).await?;
        let mut depths = self.depths(&settings).await?;
        let mut planned = Vec::new();
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            let key = task.idempotency.as_deref();
            if let Some(answer) = key.and_then(|it| said.find(it, task.id)) {
                answers.push(answer);
                continue;
            }
            let answer = self.decide(task, &mut there, &mut uniques, &settings, &mut depths, whose, &mut planned)?;
            if let Some(key) = key {
                said.keep(key, task.id, &answer, &uniques, self.now);
            }
            answers.push(answer);
        }
        let inserted = insert(self.conn, &self.core, &planned, self.now).await?;
        if !are_new {
            self.refuse_ended(inserted.ids()).await?;
        }
        for (task, answer) in tasks.iter().zip(&mut answers) {
            match (&answer, inserted.status(task.id)) {
                (Enqueued::Created(_), Some(status)) => note_new(&mut self.fx, task, status, self.now),
                // Somebody else stored the same in this moment.
                (Enqueued::Created(_), None) => *answer = Enqueued::AlreadyCreated,
                _ => {}
            }
        }
        self.take_uniques(&uniques).await?;
        self.remember(&said).await?;
        Ok(answers)
    }

    #[allow(clippy::too_many_arguments, reason = "all that is known about a batch")]
    fn decide<'t>(
        &mut self,
        task: &'t NewTask,
        there: &mut HashSet<TaskId>,
        uniques: &mut Uniques,
        settings: &HashMap<Name, (i32, QueueSettings)>,
        depths: &mut HashMap<i32, usize>,
        whose: Ownership,
        planned: &mut Vec<Planned<'t>>,
    ) -> Outcome<Enqueued> {
        if there.contains(&task.id) {
            return Ok(Enqueued::AlreadyCreated);
        }
        if let Some(holder) = unique(task).and_then(|(key, _)| uniques.holder(key)) {
            return Ok(Enqueued::Duplicate(holder));
        }
        let (queue, queue_settings) = settings.get(&task.queue).copied().ok_or_else(|| corrupt("a queue is gone"))?;
        if let (Some(max), Some(depth)) = (queue_settings.max_depth, depths.get_mut(&queue)) {
            if *depth >= max {
                let retry_after = self.core.departures.lock().entry(queue).or_default().retry_after(self.now);
                return Ok(Enqueued::Full { retry_after });
            }
            *depth += 1;
        }
        let label = task.label.as_deref().filter(|it| it.concurrency_key.is_some());
        let is_due = due_at(task.due, self.now) <= self.now;
        let (status, holds_permit) = match label {
            _ if !is_due => (TaskStatus::Delayed, false),
            None => (TaskStatus::Pending, false),
            Some(_) if whose == Ownership::User => (TaskStatus::Delayed, false),
            Some(label) if self.take_permit(label) => (TaskStatus::Pending, true),
            Some(_) => (TaskStatus::Blocked, false),
        };
        let kind = self.kind_number(task)?;
        planned.push(Planned { task, queue, kind, status, holds_permit });
        there.insert(task.id);
        if let Some((key, until)) = unique(task) {
            uniques.take(key, until, task.id, self.now);
        }
        Ok(Enqueued::Created(status))
    }

    fn kind_number(&self, task: &NewTask) -> Outcome<i32> {
        let known = self.core.names.kind(&task.name, task.version);
        let own = || self.own_kinds.get(&(task.name.clone(), task.version)).copied();
        known.or_else(own).ok_or_else(|| corrupt("a kind has no number"))
    }

    /// What was submitted before, claimed and ended after it was looked for, is not stored again: the next try finds it in the
    /// history.
    async fn refuse_ended(&mut self, ids: impl Iterator<Item = TaskId>) -> Outcome<()> {
        let text = "SELECT EXISTS (SELECT FROM ddd.history WHERE id = ANY($1))";
        let ids = ids_of(&ids.collect::<Vec<_>>());
        let has_ended: bool = sqlx::query_scalar(self.core.texts.of(text)).bind(ids).fetch_one(&mut *self.conn).await?;
        if has_ended {
            return Err(Trouble::unavailable("a task that is submitted again ended in this moment", Remedy::Again));
        }
        Ok(())
    }

    /// Locks what is counted: depths, and permits. Only short transactions hold these.
    async fn lock_counts(&mut self, tasks: &[NewTask], settings: &HashMap<Name, (i32, QueueSettings)>) -> Outcome<()> {
        let depths = settings.values().filter(|it| it.1.max_depth.is_some()).map(|it| Lock::Depth(it.0));
        self.lock(depths).await?;
        let keys = tasks.iter().filter_map(|it| it.label.as_ref()?.concurrency_key.as_deref()).collect::<Vec<_>>();
        self.lock_keys(&keys, 0).await?;
        Ok(())
    }

    /// How many tasks wait in each queue that has a bound.
    async fn depths(&mut self, settings: &HashMap<Name, (i32, QueueSettings)>) -> Outcome<HashMap<i32, usize>> {
        let mut depths = HashMap::new();
        for (queue, _) in settings.values().filter(|it| it.1.max_depth.is_some()) {
            let text = "SELECT coalesce(sum(CASE WHEN becomes BETWEEN 0 AND 4 THEN n ELSE 0 END \
                        - CASE WHEN was BETWEEN 0 AND 4 THEN n ELSE 0 END), 0)::bigint FROM ddd.tally WHERE queue = $1";
            let depth: i64 =
                sqlx::query_scalar(self.core.texts.of(text)).bind(queue).fetch_one(&mut *self.conn).await?;
            depths.insert(*queue, usize::try_from(depth).unwrap_or_default());
        }
        Ok(depths)
    }

    /// The numbers and settings of the queues of these tasks.
    async fn queue_settings(
        &mut self,
        tasks: &[NewTask],
        whose: Ownership,
    ) -> Outcome<HashMap<Name, (i32, QueueSettings)>> {
        let names = tasks.iter().map(|it| it.queue.as_str()).collect::<Vec<_>>();
        let text = "SELECT number, name, settings FROM ddd.queue WHERE name = ANY($1)";
        let found = sqlx::query(self.core.texts.of(text)).bind(names).fetch_all(&mut *self.conn).await?;
        let mut settings = found.iter().map(super::queues::numbered).collect::<Outcome<HashMap<_, _>>>()?;
        // A user's transaction that sees the tables as they were when it began does not see a queue that was numbered since.
        for task in tasks.iter().filter(|_| whose == Ownership::User) {
            if let Some(number) = self.core.names.queue(&task.queue) {
                settings.entry(task.queue.clone()).or_insert_with(|| (number, QueueSettings::default()));
            }
        }
        Ok(settings)
    }
}

fn said_name(task: &NewTask) -> Option<String> {
    task.idempotency.as_deref().map(key_name)
}
