use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;

use super::{
    core::Core,
    error::{Outcome, corrupt},
    idempotency::key_name,
    insert::{Planned, insert, unique},
    locks::Lock,
    numbers::{id_of, ids_of},
    session::Session,
    unique::Uniques,
};
use crate::{
    domain::{Name, TaskId, TaskStatus, Timestamp, Transition},
    infrastructure::sql::Effects,
    ports::{Due, Enqueued, NewTask, QueueSettings},
};

/// So many tasks are stored by one statement.
pub(super) const AT_ONCE: usize = 2_000;

/// The instant that `due` means at `now`.
pub(super) fn due_at(due: Due, now: Timestamp) -> Timestamp {
    match due {
        Due::Now => now,
        Due::In(delay) => now.after(delay),
        Due::At(at) => at,
    }
}

/// Whether nothing has to be asked before a task is stored, if its queue takes any number.
pub(super) fn is_plain(task: &NewTask) -> bool {
    let has_key = |it: &crate::domain::Label| it.unique_key.is_some() || it.concurrency_key.is_some();
    task.idempotency.is_none() && !task.label.as_deref().is_some_and(has_key)
}

impl Core {
    /// Stores new tasks over a connection that is in no transaction: what is plain by one statement, the others in a
    /// transaction. So is what may have been stored by a try before, whose answer was lost: if it ends in this moment, the one
    /// statement would find it neither in the history nor in its own way.
    pub(super) async fn enqueue_all(
        self: &std::sync::Arc<Self>,
        conn: &mut PgConnection,
        tasks: &[NewTask],
        is_first_try: bool,
    ) -> Outcome<Vec<Enqueued>> {
        let queues = tasks.iter().map(|it| &it.queue).collect::<Vec<_>>();
        let kinds = tasks.iter().map(|it| (&it.name, it.version)).collect::<Vec<_>>();
        self.names.make(conn, &self.texts, &queues, &kinds).await?;
        for task in tasks {
            // Before it can run anywhere: else its end could be missed.
            if let Some(watcher) = &task.watcher {
                self.told.watch(task.id, watcher.clone());
            }
        }
        let mut answers = Vec::with_capacity(tasks.len());
        for tasks in tasks.chunks(AT_ONCE) {
            let mut these = vec![None; tasks.len()];
            if is_first_try && tasks.iter().all(is_plain) && are_different(tasks) {
                these = self.enqueue_plain(conn, tasks).await?;
            }
            let left = tasks.iter().zip(&these).filter(|it| it.1.is_none()).map(|it| it.0.clone()).collect::<Vec<_>>();
            if !left.is_empty() {
                let mut left = self
                    .transact(conn, |session| {
                        let left = left.clone();
                        Box::pin(async move { session.enqueue(&left, Ownership::Store).await })
                    })
                    .await?
                    .into_iter();
                these.iter_mut().filter(|it| it.is_none()).for_each(|it| *it = left.next());
            }
            answers.extend(these);
        }
        answers.into_iter().collect::<Option<_>>().ok_or_else(|| corrupt("a submission has no answer"))
    }

    /// Stores what nothing stands against; `None` for what has to be looked at.
    async fn enqueue_plain(
        self: &std::sync::Arc<Self>,
        conn: &mut PgConnection,
        tasks: &[NewTask],
    ) -> Outcome<Vec<Option<Enqueued>>> {
        let planned = tasks.iter().map(|it| self.plan(it)).collect::<Outcome<Vec<_>>>()?;
        // Before they are stored: who claims them stands behind.
        let turn = self.turns.enter(tasks.iter().map(|it| it.id));
        let is_open = self.open(conn).await?;
        let inserted = insert(conn, self, &planned, None).await;
        let inserted = self.close(conn, is_open, inserted).await?;
        let mut fx = Effects { is_heard: self.told.is_anyone_there(), ..Effects::default() };
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            let status = inserted.statuses.get(&task.id).copied();
            if let Some(status) = status {
                note_new(&mut fx, task, status, inserted.now);
            }
            answers.push(status.map(Enqueued::Created));
        }
        turn.come().await;
        self.tell(&mut fx, &[]);
        Ok(answers)
    }

    fn plan<'a>(&self, task: &'a NewTask) -> Outcome<Planned<'a>> {
        let queue = self.names.queue(&task.queue).ok_or_else(|| corrupt("a queue has no number"))?;
        let kind = self.names.kind(&task.name, task.version).ok_or_else(|| corrupt("a kind has no number"))?;
        Ok(Planned { task, queue, kind, status: None, holds_permit: false })
    }
}

fn are_different(tasks: &[NewTask]) -> bool {
    let mut seen = HashSet::with_capacity(tasks.len());
    tasks.iter().all(|it| seen.insert(it.id))
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
    /// Stores new tasks, unless something stands against them. Their queues and kinds have numbers.
    pub(super) async fn enqueue(&mut self, tasks: &[NewTask], whose: Ownership) -> Outcome<Vec<Enqueued>> {
        let ids = tasks.iter().map(|it| it.id).collect::<Vec<_>>();
        let settings = self.queue_settings(tasks).await?;
        self.lock_for(tasks, &settings, whose).await?;
        let mut there: HashSet<TaskId> = {
            let text =
                "SELECT id FROM ddd.task WHERE id = ANY($1) UNION ALL SELECT id FROM ddd.history WHERE id = ANY($1)";
            let found: Vec<uuid::Uuid> =
                sqlx::query_scalar(self.core.texts.of(text)).bind(ids_of(&ids)).fetch_all(&mut *self.conn).await?;
            found.into_iter().map(id_of).collect()
        };
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
        let inserted = insert(self.conn, &self.core, &planned, Some(self.now)).await?;
        for (task, answer) in tasks.iter().zip(&mut answers) {
            match (&answer, inserted.statuses.get(&task.id)) {
                (Enqueued::Created(_), Some(status)) => note_new(&mut self.fx, task, *status, self.now),
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
        planned.push(Planned { task, queue, kind, status: Some(status), holds_permit });
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

    /// Takes all locks at once, so that nobody waits in a circle.
    async fn lock_for(
        &mut self,
        tasks: &[NewTask],
        settings: &HashMap<Name, (i32, QueueSettings)>,
        whose: Ownership,
    ) -> Outcome<()> {
        let said = tasks.iter().filter_map(|it| it.idempotency.as_deref()).map(key_name).collect::<Vec<_>>();
        let uniques = tasks.iter().filter_map(|it| Some(Lock::Unique(unique(it)?.0)));
        let is_own = whose == Ownership::Store;
        let depths = settings.values().filter(|it| is_own && it.1.max_depth.is_some()).map(|it| Lock::Depth(it.0));
        self.lock(said.iter().map(|it| Lock::Said(it)).chain(uniques).chain(depths)).await?;
        if is_own {
            let keys = tasks.iter().filter_map(|it| it.label.as_ref()?.concurrency_key.as_deref()).collect::<Vec<_>>();
            self.lock_keys(&keys, 0).await?;
        }
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
    async fn queue_settings(&mut self, tasks: &[NewTask]) -> Outcome<HashMap<Name, (i32, QueueSettings)>> {
        let names = tasks.iter().map(|it| it.queue.as_str()).collect::<Vec<_>>();
        let text = "SELECT number, name, settings FROM ddd.queue WHERE name = ANY($1)";
        let found = sqlx::query(self.core.texts.of(text)).bind(names).fetch_all(&mut *self.conn).await?;
        found.iter().map(super::queues::numbered).collect()
    }
}
