use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::batch::{Batch, Load};
use crate::ports::{Enqueued, NewTask, StoreError};

/// A batch that is away for longer than this may hang, or hold very much: those who come meanwhile no longer wait for it.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);
/// A batch of more tasks than this keeps the server busy, not only its disk.
const LIGHT: usize = 64;

/// Submissions of many callers that wait for those before them, and go together. What has a key may have to wait for somebody
/// else's transaction, and must not make others wait.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) plain: Arc<Lane>,
    pub(super) keyed: Arc<Lane>,
}

/// Those who go together.
#[derive(Debug, Default)]
pub(super) struct Lane {
    state: Mutex<State>,
    /// Wakes the leader that lingers.
    pub(super) come: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// How many batches are on the way, or could be: those that linger are among them.
    leaders: usize,
    lingering: usize,
    /// When a batch left or a leader began to linger last; and whether that batch was a heavy one.
    moved_at: Option<Instant>,
    is_heavy: bool,
}

/// What a leader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Linger,
    End,
}

/// What one caller submits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) tasks: Vec<NewTask>,
    /// Whether their ids go out for the first time.
    pub(super) are_new: bool,
    /// Whether none of them has a key.
    pub(super) are_plain: bool,
    /// What is known already, as many as there are tasks.
    pub(super) answers: Vec<Option<Enqueued>>,
    /// How often it was tried, and since when.
    pub(super) tries: u32,
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Result<Vec<Enqueued>, StoreError>>,
}

impl Waiting {
    /// Whether nothing can stand against them.
    fn is_free(&self) -> bool {
        self.are_plain && self.are_new
    }

    /// Takes the answers to those that had none.
    pub(super) fn take(&mut self, answers: &mut impl Iterator<Item = Option<Enqueued>>) {
        for open in self.answers.iter_mut().filter(|it| it.is_none()) {
            *open = answers.next().flatten();
        }
    }
}

impl Lane {
    /// Joins those who wait; whether one more leader is to set out, at most so many of them. With one on the way all others gather
    /// meanwhile, and share one commit: the server syncs one after another in any case.
    pub(super) fn join(&self, waiting: impl IntoIterator<Item = Waiting>, most: usize) -> bool {
        let mut state = self.state.lock();
        let was_empty = state.waiting.is_empty();
        state.waiting.extend(waiting);
        let is_late = state.moved_at.is_none_or(|it| it.elapsed() > PATIENCE);
        let is_served = state.leaders > 0 && (state.lingering > 0 || !state.is_heavy) && !is_late;
        let sets_out = !state.waiting.is_empty() && !is_served && state.leaders < most.max(1);
        state.leaders += usize::from(sets_out);
        // The first of them only: what nobody awaits any more would end the next pause at once.
        let is_awaited = state.lingering > 0 && was_empty && !state.waiting.is_empty();
        drop(state);
        if is_awaited {
            self.come.notify_one();
        }
        sets_out
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Takes as many of those who wait as go together.
    pub(super) fn take(&self) -> Vec<Waiting> {
        let mut state = self.state.lock();
        let mut load = Load::default();
        let taken = state.waiting.iter().take_while(|it| load.takes(&it.tasks)).count();
        let taken = state.waiting.drain(..taken).collect::<Vec<_>>();
        if !taken.is_empty() {
            state.moved_at = Some(Instant::now());
            state.is_heavy = taken.iter().map(|it| it.tasks.len()).sum::<usize>() > LIGHT;
        }
        taken
    }

    /// What a leader does that had nobody left to take. Of those that may linger, one is enough.
    pub(super) fn next(&self, may_linger: bool) -> Next {
        let mut state = self.state.lock();
        if !state.waiting.is_empty() {
            return Next::Go;
        }
        let lingers = may_linger && state.lingering == 0;
        state.moved_at = Some(Instant::now());
        state.lingering += usize::from(lingers);
        state.leaders -= usize::from(!lingers);
        if lingers { Next::Linger } else { Next::End }
    }

    /// A leader has lingered; whether somebody waits. Else it is one no more.
    pub(super) fn resumes(&self) -> bool {
        let mut state = self.state.lock();
        let resumes = !state.waiting.is_empty();
        state.lingering -= 1;
        state.leaders -= usize::from(!resumes);
        resumes
    }

    /// A leader is gone without a word, with its runtime. Those who wait on another one lose patience, and somebody leads
    /// again; what nobody waits for any more lies until then or until the next one comes.
    pub(super) fn desert(&self, lingered: bool) {
        let mut state = self.state.lock();
        state.lingering -= usize::from(lingered);
        state.leaders -= 1;
    }
}

/// All tasks of these that have no answer, as one batch: those that are plain and new come first, here as there.
pub(super) fn batch_of(all: &mut [Waiting]) -> Batch {
    all.sort_by_key(|it| !it.is_free());
    let count = all.iter().map(|it| it.tasks.len()).sum();
    let mut batch = Batch {
        tasks: Vec::with_capacity(count),
        submissions: Vec::with_capacity(count),
        plain: 0,
        are_new: all.iter().all(|it| it.are_new),
    };
    for (number, waiting) in all.iter().enumerate() {
        let open = waiting.tasks.iter().zip(&waiting.answers).filter(|it| it.1.is_none()).map(|it| it.0.clone());
        batch.tasks.extend(open);
        batch.submissions.resize(batch.tasks.len(), number);
        if waiting.is_free() {
            batch.plain = batch.tasks.len();
        }
    }
    batch
}
