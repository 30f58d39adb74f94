//! Group commit without a timer: while submissions are on the way, those that come gather, and go together when there is room.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::oneshot;

use super::{
    core::Core,
    enqueue::AT_ONCE,
    error::{Outcome, corrupt},
    gathering::Waiting,
};
use crate::ports::{Enqueued, NewTask, StoreError, StoreErrorKind, StoreFuture};

/// So many batches are on the way at once, if there are connections for them: the server syncs what is committed together once,
/// while with fewer the first who comes back goes alone, and all others wait for it.
const ON_THE_WAY: u32 = 4;

impl Core {
    /// Submits tasks together with those of others.
    pub(super) fn gather(self: &Arc<Self>, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        let core = self.clone();
        Box::pin(async move {
            let (answer, receiver) = oneshot::channel();
            core.gathering.waiting.lock().push(Waiting { tasks, answer });
            core.lead();
            receiver.await.unwrap_or_else(|gone| Err(StoreError::new(StoreErrorKind::Unavailable, gone)))
        })
    }

    /// Sends what has gathered, unless enough is on the way; then whoever is, does it next.
    fn lead(self: &Arc<Self>) {
        let most = ON_THE_WAY.min(self.pool.options().get_max_connections()) as usize;
        let more = |count| (count < most).then_some(count + 1);
        if self.gathering.on_the_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok() {
            let leader = Leader { core: self.clone(), is_done: false };
            tokio::spawn(async move { leader.go().await });
        }
    }

    fn take_gathered(&self) -> Vec<Waiting> {
        let mut waiting = self.gathering.waiting.lock();
        let mut count = 0;
        let fits = |it: &&Waiting| {
            count += it.tasks.len();
            count <= AT_ONCE
        };
        let taken = waiting.iter().take_while(fits).count().max(1).min(waiting.len());
        waiting.drain(..taken).collect()
    }
}

/// A batch on the way; the place is free when it is dropped, whatever happened.
struct Leader {
    core: Arc<Core>,
    is_done: bool,
}

impl Drop for Leader {
    fn drop(&mut self) {
        let others = self.core.gathering.on_the_way.fetch_sub(1, Ordering::AcqRel) - 1;
        if others == 0 && !self.is_done {
            // Its runtime ended under it, and nobody else leads: those who wait are told so, instead of never.
            let left = std::mem::take(&mut *self.core.gathering.waiting.lock());
            drop(left);
        }
    }
}

impl Leader {
    async fn go(mut self) {
        loop {
            let batch = self.core.take_gathered();
            if batch.is_empty() {
                break;
            }
            send(&self.core, batch).await;
        }
        let core = self.core.clone();
        self.is_done = true;
        drop(self);
        // Who came after the last look, and found enough on the way.
        if !core.gathering.waiting.lock().is_empty() {
            core.lead();
        }
    }
}

async fn send(core: &Arc<Core>, mut batch: Vec<Waiting>) {
    let counts = batch.iter().map(|it| it.tasks.len()).collect::<Vec<_>>();
    let tasks: Arc<Vec<NewTask>> = Arc::new(batch.iter_mut().flat_map(|it| std::mem::take(&mut it.tasks)).collect());
    match enqueue(core, tasks.clone()).await {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for (waiting, count) in batch.into_iter().zip(counts) {
                // Nobody may wait any more.
                let _ = waiting.answer.send(Ok(answers.by_ref().take(count).collect()));
            }
        }
        Err(error) if batch.len() == 1 || error.is_transient() => {
            let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            for waiting in batch {
                let _ = waiting.answer.send(Err(StoreError::new(error.kind(), text.clone())));
            }
        }
        // One of them cannot be stored: the others are not to suffer from it.
        Err(_) => {
            let mut rest = tasks.iter();
            for (waiting, count) in batch.into_iter().zip(counts) {
                let own = Arc::new(rest.by_ref().take(count).cloned().collect());
                let _ = waiting.answer.send(enqueue(core, own).await);
            }
        }
    }
}

async fn enqueue(core: &Arc<Core>, tasks: Arc<Vec<NewTask>>) -> Result<Vec<Enqueued>, StoreError> {
    let count = tasks.len();
    let is_first = AtomicBool::new(true);
    let answers = core
        .try_often(&move |core: Arc<Core>, conn| {
            let (tasks, is_first_try) = (tasks.clone(), is_first.swap(false, Ordering::Relaxed));
            Box::pin(async move { core.enqueue_all(conn, &tasks, is_first_try).await })
        })
        .await?;
    let answered: Outcome<()> =
        if answers.len() == count { Ok(()) } else { Err(corrupt("a submission has no answer")) };
    answered.map(|()| answers).map_err(|it| it.error)
}
