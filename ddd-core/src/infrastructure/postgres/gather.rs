//! Group commit without a timer: while submissions are on the way, those that come gather, and go together when there is room.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, Sleep},
};

use super::{
    batch::{Batch, is_plain},
    calls::AtHand,
    core::Core,
    error::corrupt,
    gathering::{Lane, Next, PATIENCE, Waiting, batch_of},
    sent,
};
use crate::ports::{Enqueued, NewTask, StoreError, StoreErrorKind, StoreFuture};

/// So many batches are on the way at once at most, if there are connections for them.
const ON_THE_WAY: u32 = 4;
/// Of those with keys, so many.
const KEYED_ON_THE_WAY: u32 = 2;
/// So long a leader keeps its connection at hand for who comes next: the pool would first ask the server whether it lives.
const LINGER: Duration = Duration::from_millis(1);
/// Those who have just been answered may come again at once, and are let in first; so often it is looked for them.
const LOOKS: usize = 8;
/// After this time the connection goes back to the pool, which may want to replace it. The next one has to learn all statements first.
const KEPT: Duration = Duration::from_secs(10);
/// So often a process that submits looks whether its tables became too new for it.
const LOOKS_EVERY: Duration = Duration::from_secs(60);
/// After the first try for a key that is held, and at most, so long passes until the next.
const RETRY: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

impl Core {
    /// Submits tasks together with those of others.
    pub(super) fn gather(self: &Arc<Self>, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        let core = self.clone();
        Box::pin(async move {
            let (answer, mut receiver) = oneshot::channel();
            let are_new = sent::are_new(tasks.iter().map(|it| it.id));
            let are_plain = tasks.iter().all(is_plain);
            let since = Instant::now();
            // What this one sets out serves others as well, and lives as long as they do, wherever this one is awaited.
            let runtime = Handle::current();
            let answers = vec![None; tasks.len()];
            let waiting = Waiting { tasks, are_new, are_plain, answers, tries: 0, since, answer };
            core.join(&runtime, are_plain, Some(waiting));
            let mut patience = PATIENCE;
            let mut timer = pin!(tokio::time::sleep(patience));
            let answer = loop {
                if let Some(answer) = before(timer.as_mut(), &mut receiver).await {
                    break answer;
                }
                // Those before may hang, on a connection of theirs.
                core.join(&runtime, are_plain, None);
                patience *= 2;
                timer.as_mut().reset(Instant::now() + patience);
            };
            answer.unwrap_or_else(|gone| Err(StoreError::new(StoreErrorKind::Unavailable, gone)))
        })
    }

    /// Lets these wait with others of their kind, and sees to it that somebody leads.
    fn join(self: &Arc<Self>, runtime: &Handle, are_plain: bool, waiting: impl IntoIterator<Item = Waiting>) {
        let (lane, most) =
            if are_plain { (&self.gathering.plain, ON_THE_WAY) } else { (&self.gathering.keyed, KEYED_ON_THE_WAY) };
        if lane.join(waiting, most.min(self.pool.options().get_max_connections()) as usize) {
            let leader = Leader { lane: lane.clone(), lingers: false, is_done: false };
            runtime.spawn(leader.go(self.clone()));
        }
    }

    /// Gives a connection back. Now and then it is used before for a look whether the tables became too new: a process that only
    /// submits has no upkeep, which would see it.
    async fn part_with(self: &Arc<Self>, at_hand: &mut AtHand) {
        if at_hand.is_some() && self.is_look_due() {
            // What it finds is noted, and what goes wrong is none of a submission's business.
            let _ = self
                .try_over(at_hand, &|core: Arc<Self>, conn| Box::pin(async move { core.keep_up(conn).await }))
                .await;
        }
        self.give_back(at_hand.take());
    }

    /// Whether the last look is long ago; who is told so looks.
    fn is_look_due(&self) -> bool {
        let mut at = self.current_at.lock();
        let is_due = at.elapsed() > LOOKS_EVERY;
        if is_due {
            *at = std::time::Instant::now();
        }
        is_due
    }

    /// Whether others find a connection, if this one is kept.
    fn has_connections(&self) -> bool {
        (self.pool.size() as usize).saturating_sub(self.pool.num_idle())
            < self.pool.options().get_max_connections() as usize
    }
}

/// What a future yields, if it does before the timer.
async fn before<T>(mut timer: Pin<&mut Sleep>, awaited: impl Future<Output = T>) -> Option<T> {
    let mut awaited = pin!(awaited);
    poll_fn(|cx| match awaited.as_mut().poll(cx) {
        Poll::Ready(it) => Poll::Ready(Some(it)),
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Who sends what has gathered; its place is free when it is dropped, whatever happened.
struct Leader {
    lane: Arc<Lane>,
    lingers: bool,
    is_done: bool,
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.is_done {
            self.lane.desert(self.lingers);
        }
    }
}

impl Leader {
    async fn go(mut self, core: Arc<Core>) {
        let mut at_hand = None;
        let mut since = Instant::now();
        // One timer for many waits: to set one for each wakes the runtime each time.
        let mut linger = pin!(tokio::time::sleep(LINGER));
        loop {
            let batch = self.lane.take();
            if batch.is_empty() {
                let next = self.lane.next(at_hand.is_some() && core.has_connections());
                if next == Next::Linger {
                    self.lingers = true;
                    linger.as_mut().reset(Instant::now() + LINGER);
                    let _ = before(linger.as_mut(), self.lane.come.notified()).await;
                    self.lingers = false;
                }
                if next == Next::Go || (next == Next::Linger && self.lane.resumes()) {
                    continue;
                }
                self.is_done = true;
                break;
            }
            let count = batch.len();
            send(&core, &mut at_hand, batch).await;
            if since.elapsed() > KEPT || !core.has_connections() {
                core.part_with(&mut at_hand).await;
                since = Instant::now();
            }
            for _ in 0..LOOKS {
                let come = self.lane.len();
                if come >= count.max(2) || (come == 0 && count == 1) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        core.part_with(&mut at_hand).await;
    }
}

async fn send(core: &Arc<Core>, at_hand: &mut AtHand, mut all: Vec<Waiting>) {
    let batch = batch_of(&mut all);
    match enqueue(core, at_hand, Arc::new(batch)).await {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            for mut waiting in all {
                waiting.take(&mut answers);
                answer_or_retry(core, waiting);
            }
        }
        Err(error) if all.len() == 1 || error.is_transient() => {
            let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            for waiting in all {
                let _ = waiting.answer.send(Err(StoreError::new(error.kind(), text.clone())));
            }
        }
        // One of them cannot be stored: the others are not to suffer from it.
        Err(_) => {
            for mut waiting in all {
                // The others may have been stored, and have run since.
                waiting.are_new = false;
                Box::pin(send(core, at_hand, vec![waiting])).await;
            }
        }
    }
}

/// Tells a caller what became of its tasks, if all that is known; else those that are left are tried again by themselves, and
/// meanwhile hold nothing.
fn answer_or_retry(core: &Arc<Core>, mut waiting: Waiting) {
    if waiting.answers.iter().all(Option::is_some) {
        let answers = waiting.answers.into_iter().flatten().collect();
        // Nobody may wait any more.
        let _ = waiting.answer.send(Ok(answers));
        return;
    }
    if waiting.since.elapsed() >= core.timeout {
        let problem = "a transaction that is still open holds the unique key or the idempotency key of this task";
        let _ = waiting.answer.send(Err(StoreError::new(StoreErrorKind::Unavailable, problem)));
        return;
    }
    let pause = RETRY.0.saturating_mul(1 << waiting.tries.min(8)).min(RETRY.1);
    waiting.tries += 1;
    let core = core.clone();
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        core.join(&Handle::current(), false, Some(waiting));
    });
}

async fn enqueue(
    core: &Arc<Core>,
    at_hand: &mut AtHand,
    batch: Arc<Batch>,
) -> Result<Vec<Option<Enqueued>>, StoreError> {
    let count = batch.tasks.len();
    let is_first = AtomicBool::new(true);
    let answers = core
        .try_over(at_hand, &move |core: Arc<Core>, conn| {
            let (batch, is_first_try) = (batch.clone(), is_first.swap(false, Ordering::Relaxed));
            Box::pin(async move { core.enqueue_all(conn, &batch, is_first_try).await })
        })
        .await?;
    if answers.len() == count { Ok(answers) } else { Err(corrupt("a submission has no answer").error) }
}
