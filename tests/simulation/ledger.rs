//! What is known outside of the store: what was asked for and answered, what ran, and what the store itself told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use ddd_core::{
    ResultError, TaskContext, TaskId, TaskStatus, Timestamp, Transition,
    domain::{Fence, WorkerId},
    ports::{Controlled, Finished, Signal, SignalSink},
};
use tokio::time::Instant;

/// A submission and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Submitted {
    pub(crate) number: u32,
    /// The task that the submitter was told of, if it was told of one.
    pub(crate) acknowledged: Option<TaskId>,
}

/// How a body ended, as itself sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It runs.
    Not,
    /// It was dropped.
    Dropped,
    /// It returned, well or with an error.
    Returned { well: bool },
}

/// One execution of a body.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) id: TaskId,
    pub(crate) run: u32,
    pub(crate) fence: Fence,
    pub(crate) node: usize,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) left: Left,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) submissions: Vec<Submitted>,
    pub(crate) attempted: BTreeSet<u32>,
    pub(crate) ran: Vec<Ran>,
    pub(crate) controls: Vec<(TaskId, Asked, Controlled)>,
    /// What users were told who waited for the end: the status, and the result.
    pub(crate) waited: Vec<(TaskId, TaskStatus, Option<u64>)>,
    /// How many nodes were killed, cut off or ended.
    pub(crate) deaths: usize,
    /// What each node runs now, and how many it may.
    pub(crate) nodes: Vec<(usize, usize)>,
    /// What went wrong while it ran.
    pub(crate) problems: Vec<String>,
    pub(crate) transitions: Vec<Transition>,
    /// Which tick each task of a schedule is of.
    pub(crate) fired: BTreeMap<TaskId, (String, Timestamp)>,
    /// When each worker's heartbeats arrived.
    pub(crate) beats: BTreeMap<WorkerId, Vec<Timestamp>>,
    /// How the store answered the ends of attempts.
    pub(crate) answers: BTreeMap<&'static str, usize>,
}

/// What was asked about a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Cancel,
    Retry,
    Reprioritise,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Book>);

impl Ledger {
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }

    /// The store answered ends of attempts.
    pub(crate) fn answered(&self, answers: &[Finished]) {
        let mut book = self.book();
        for answer in answers {
            let name = match answer {
                Finished::Stale => "end refused as stale",
                Finished::AlreadyApplied => "end told twice",
                _ => "end taken",
            };
            *book.answers.entry(name).or_default() += 1;
        }
    }

    /// A user waited for the end of a task.
    pub(crate) fn waited(&self, id: TaskId, result: Result<u64, ResultError>) {
        let mut book = self.book();
        let told = match result {
            Ok(result) => (id, TaskStatus::Success, Some(result)),
            Err(ResultError::Failed(_)) => (id, TaskStatus::Failed, None),
            Err(ResultError::TimedOut(_)) => (id, TaskStatus::Timeout, None),
            Err(ResultError::Cancelled) => (id, TaskStatus::Cancelled, None),
            Err(error) => return book.problems.push(format!("who waited for {id} was told: {error:?}")),
        };
        book.waited.push(told);
    }

    /// A node begins; answers with its number.
    pub(crate) fn node(&self, slots: usize) -> usize {
        let nodes = &mut self.book().nodes;
        nodes.push((0, slots));
        nodes.len() - 1
    }

    /// A body begins on a node.
    pub(crate) fn enter(self: &Arc<Self>, node: usize, context: &TaskContext) -> Inside {
        let (began, mut book) = (Instant::now(), self.book());
        let (id, run, fence) = (context.id(), context.run(), context.fence());
        book.ran.push(Ran { id, run, fence, node, began, ended: began, left: Left::Not });
        let (running, slots) = &mut book.nodes[node];
        *running += 1;
        if *running > *slots {
            let problem = format!("node {node} runs {running} bodies in {slots} slots");
            book.problems.push(problem);
        }
        Inside { ledger: self.clone(), entry: book.ran.len() - 1 }
    }
}

/// A body that runs.
pub(crate) struct Inside {
    ledger: Arc<Ledger>,
    entry: usize,
}

impl Inside {
    pub(crate) fn returns(&self, well: bool) {
        self.ledger.book().ran[self.entry].left = Left::Returned { well };
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut book = self.ledger.book();
        let ran = &mut book.ran[self.entry];
        ran.ended = Instant::now();
        if ran.left == Left::Not {
            ran.left = Left::Dropped;
        }
        let node = ran.node;
        book.nodes[node].0 -= 1;
    }
}

/// Hears every transition from the store itself.
impl SignalSink for Ledger {
    fn record(&self, transition: &Transition) -> bool {
        self.book().transitions.push(transition.clone());
        false
    }

    fn is_waiting(&self) -> bool {
        false
    }

    fn signal(&self, _: Signal) {}
}
