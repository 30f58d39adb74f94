//! A store with tasks queued in it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use ddd_core::{
    Priority, TaskId, TaskStore, Timestamp,
    domain::{Name, WorkerId},
    ports::{AttemptEnd, ClaimRequest, Claimed, Declaration, Enqueued, Finish, Finished, KnownTask, NewTask},
};
use serde_json::value::RawValue;

const QUEUE: Name = Name::new("default");
const TASK: Name = Name::new("count_words");
const LEASE: Duration = Duration::from_secs(3_600);

/// Tasks of one definition in one queue, and one worker that claims them.
pub struct Backlog {
    store: Arc<dyn TaskStore>,
    worker: WorkerId,
    submitted: u32,
}

impl std::fmt::Debug for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backlog").field("submitted", &self.submitted).finish_non_exhaustive()
    }
}

impl Backlog {
    /// Nothing is queued yet.
    ///
    /// # Panics
    /// The store fails.
    pub async fn new(store: Arc<dyn TaskStore>) -> Self {
        let worker = WorkerId::from(*task_id(0).as_uuid());
        let known = vec![KnownTask { name: TASK, version: 1 }];
        let declaration = Declaration::new(worker, "bench".to_owned(), vec![QUEUE], known, usize::MAX, LEASE);
        store.declare(declaration).await.expect("the store takes a declaration");
        Self { store, worker, submitted: 0 }
    }

    /// Queues so many tasks with each of `priorities` in turn; answers with the length of their parameters, all together.
    ///
    /// # Panics
    /// The store fails or refuses.
    pub async fn fill(&mut self, tasks: usize, priorities: RangeInclusive<i8>) -> usize {
        let mut length = 0;
        for priority in priorities.cycle().take(tasks) {
            length += self.submit(Priority::clamped(priority)).await;
        }
        length
    }

    /// The next so many tasks, by rank.
    ///
    /// # Panics
    /// The store fails.
    pub async fn claim(&self, request: ClaimRequest) -> Vec<Claimed> {
        self.store.claim(request).await.expect("the store hands out tasks").tasks
    }

    /// What [`Backlog::claim`] takes.
    #[must_use]
    pub fn request(&self, batch: usize) -> ClaimRequest {
        ClaimRequest::new(self.worker, [(QUEUE, batch)].into(), batch, LEASE, false)
    }

    /// Ends what was claimed and queues as many of the same priorities, so that the depth stays.
    ///
    /// # Panics
    /// The store fails or refuses.
    pub async fn replace(&mut self, claimed: Vec<Claimed>) {
        let end = |it: &Claimed| Finish::new(it.id, it.fence, AttemptEnd::Success { result: None, ttl: LEASE });
        let answers = self.store.finish(claimed.iter().map(end).collect()).await.expect("the store ends tasks");
        assert!(answers.iter().all(|it| matches!(it, Finished::Applied(_))), "a claim was lost: {answers:?}");
        for task in claimed {
            self.submit(task.priority).await;
        }
    }

    async fn submit(&mut self, priority: Priority) -> usize {
        self.submitted += 1;
        let json = format!(r#"{{"path":"docs/chapter-{:07}.md"}}"#, self.submitted);
        let length = json.len();
        let params: Box<RawValue> = RawValue::from_string(json).expect("this is JSON");
        let mut task = NewTask::new(task_id(self.submitted), TASK, QUEUE, params.into());
        task.priority = priority;
        let answers = self.store.enqueue(vec![task]).await.expect("the store takes a task");
        assert!(matches!(answers[..], [Enqueued::Created(_)]), "the store refused a task: {answers:?}");
        length
    }
}

/// Ids as an application makes them, some thousands in each millisecond; the random part differs between neighbours.
fn task_id(number: u32) -> TaskId {
    let at = Timestamp::from_micros(1_767_225_600_000_000 + i64::from(number >> 12) * 1_000);
    TaskId::from_parts(at, (number & 0xfff) as u16, u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
