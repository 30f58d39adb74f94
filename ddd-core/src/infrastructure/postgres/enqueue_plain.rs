//! Storing new tasks: what nothing can stand against by one statement, the others in a transaction that looks at each.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{
    batch::{Batch, first_of},
    core::Core,
    enqueue::note_new,
    error::{Outcome, Remedy, Trouble},
    insert::Planned,
    insert_plain::insert_plain,
};
use crate::{
    domain::TaskStatus,
    infrastructure::sql::Effects,
    ports::{Enqueued, NewTask},
};

impl Core {
    /// Stores new tasks over a connection that is in no transaction. What may have been stored by a try before, whose answer was
    /// lost, is looked at in a transaction (`is_first_try`). `None` for those whose key is held by somebody else's transaction.
    pub(super) async fn enqueue_all(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        batch: &Batch,
        is_first_try: bool,
    ) -> Outcome<Vec<Option<Enqueued>>> {
        for task in &batch.tasks {
            // Before it can run anywhere: else its end could be missed.
            if let Some(watcher) = &task.watcher {
                self.told.watch(task.id, watcher.clone());
            }
        }
        let plain = if is_first_try { batch.plain } else { 0 };
        let (plain, mut others) = batch.tasks.split_at(plain);
        let (_, mut submissions) = batch.submissions.split_at(plain.len());
        if !others.is_empty() {
            self.number(conn, others).await?;
        }
        let mut answers = self.enqueue_plain(conn, plain).await?;
        while !others.is_empty() {
            let count = first_of(others);
            let (these, of) = (&others[..count], &submissions[..count]);
            // Large: what is plain does without.
            answers.extend(Box::pin(self.enqueue_each(conn, these, of, is_first_try && batch.are_new)).await?);
            (others, submissions) = (&others[count..], &submissions[count..]);
        }
        Ok(answers)
    }

    /// Stores tasks that are plain and new.
    async fn enqueue_plain(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        mut tasks: &[NewTask],
    ) -> Outcome<Vec<Option<Enqueued>>> {
        let mut answers = Vec::with_capacity(tasks.len());
        while !tasks.is_empty() {
            let (these, rest) = tasks.split_at(first_of(tasks));
            tasks = rest;
            let stored = self.store_plain(conn, these).await?;
            if stored.iter().all(Option::is_some) {
                answers.extend(stored);
                continue;
            }
            // Their queue has a bound, or one of them is there already.
            let left = these.iter().zip(&stored).filter(|it| it.1.is_none()).map(|it| it.0.clone()).collect::<Vec<_>>();
            // They have no keys that could hold back each other.
            let mut left = Box::pin(self.enqueue_each(conn, &left, &vec![0; left.len()], true)).await?.into_iter();
            answers.extend(stored.into_iter().map(|it| it.or_else(|| left.next().flatten())));
        }
        Ok(answers)
    }

    /// Stores what nothing stands against; `None` for what has to be looked at.
    async fn store_plain(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        tasks: &[NewTask],
    ) -> Outcome<Vec<Option<Enqueued>>> {
        let planned = match self.plan(tasks) {
            Some(planned) => planned,
            None => {
                Box::pin(self.number(conn, tasks)).await?;
                let gone = || Trouble::unavailable("the number of a queue or a task is gone again", Remedy::Again);
                self.plan(tasks).ok_or_else(gone)?
            }
        };
        // Before they are stored: who claims them stands behind.
        let turn = self.turns.enter(tasks.iter().map(|it| it.id));
        let is_open = self.open(conn).await?;
        let inserted = insert_plain(conn, self, &planned).await;
        let Some(inserted) = self.close(conn, is_open, inserted).await? else { return Ok(vec![None; tasks.len()]) };
        let mut fx = Effects { is_heard: self.are_transitions_wanted(), ..Effects::default() };
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            let status = inserted.status(task.id);
            if let Some(status) = status {
                note_new(&mut fx, task, status, inserted.now);
            }
            answers.push(status.map(Enqueued::Created));
        }
        turn.come().await;
        self.tell(&mut fx, &[]);
        Ok(answers)
    }

    /// Stores tasks in a transaction that looks at each.
    async fn enqueue_each(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        tasks: &[NewTask],
        submissions: &[usize],
        are_new: bool,
    ) -> Outcome<Vec<Option<Enqueued>>> {
        let given = Arc::new((tasks.to_vec(), submissions.to_vec()));
        self.transact(conn, |session| {
            let given = given.clone();
            Box::pin(async move { session.enqueue_free(&given.0, &given.1, are_new).await })
        })
        .await
    }

    /// What is stored of these, if all their queues and kinds have numbers.
    fn plan<'a>(&self, tasks: &'a [NewTask]) -> Option<Vec<Planned<'a>>> {
        let plan = |task| {
            let (queue, kind) = self.names.numbers(task)?;
            Some(Planned { task, queue, kind, status: TaskStatus::Pending, holds_permit: false })
        };
        tasks.iter().map(plan).collect()
    }

    /// Sees to it that all their queues and kinds have numbers.
    async fn number(&self, conn: &mut PgConnection, tasks: &[NewTask]) -> Outcome<()> {
        let queues = tasks.iter().map(|it| &it.queue).collect::<Vec<_>>();
        let kinds = tasks.iter().map(|it| (&it.name, it.version)).collect::<Vec<_>>();
        self.names.make(conn, &self.texts, &queues, &kinds).await
    }
}
