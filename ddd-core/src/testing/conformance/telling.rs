//! What a store tells the process.

use std::sync::{Arc, Weak};

use super::{
    kit::{HOUR, Kit, LEASE, MINUTE, OTHER_QUEUE, QUEUE, Recorder, SECOND, With, failed, retry_after, success},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Progress, TaskId, TaskStatus},
    ports::{AttemptEnd, Control, Finished, Heartbeat, Held, ProgressReport, Signal, SignalSink},
};

/// Each change of each task, once, from where the last one led to, by the table of legal transitions.
pub async fn every_transition_is_recorded_in_order(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task_in(MINUTE).with(|it| it.max_attempts = 2)).await;
    kit.advance(MINUTE).await;
    kit.end(&kit.claim_one().await, AttemptEnd::Release, TaskStatus::Pending).await;
    kit.end(&kit.claim_one().await, retry_after(MINUTE), TaskStatus::Retrying).await;
    kit.advance(MINUTE).await;
    kit.claim_one().await;
    kit.lose_leases().await;
    kit.end(&kit.claim_one().await, failed(), TaskStatus::Failed).await;
    kit.retry(id).await;
    kit.cancel(id).await;
    let expected = [
        (None, TaskStatus::Delayed),
        (Some(TaskStatus::Delayed), TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Running),
        (Some(TaskStatus::Running), TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Running),
        (Some(TaskStatus::Running), TaskStatus::Retrying),
        (Some(TaskStatus::Retrying), TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Running),
        (Some(TaskStatus::Running), TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Running),
        (Some(TaskStatus::Running), TaskStatus::Failed),
        (Some(TaskStatus::Failed), TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Cancelled),
    ];
    assert_eq!(kit.transitions(id), expected);
    let recorded = kit.recorded();
    let last = recorded.last().unwrap();
    assert_eq!((last.run, &last.queue, last.is_terminal()), (2, &QUEUE, true));
    assert!(recorded.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].fence <= pair[1].fence));
    assert!(kit.signals().contains(&Signal::Recorded));
    // A task that another one's end lets in is recorded after it.
    let first = kit.submit(kit.task_of_key("a", 1)).await;
    let second = kit.submit(kit.task_of_key("a", 1)).await;
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    let recorded = kit.recorded();
    let place = |id: TaskId, to: TaskStatus| recorded.iter().position(|it| it.id == id && it.to == to).unwrap();
    assert!(place(first, TaskStatus::Success) < place(second, TaskStatus::Pending));
}

/// The last report is in the record, cut to its limit, and gone when the next attempt begins.
pub async fn progress_is_stored_and_recorded(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.limits.progress = 16).await;
    let id = kit.submit(kit.task().with(|it| it.max_attempts = 2)).await;
    let claimed = kit.claim_one().await;
    let report =
        |fraction, message: &str| ProgressReport::new(id, claimed.fence, Progress::new(fraction, message.to_owned()));
    let reports = vec![report(0.25, "reading"), report(0.5, "a text that is longer than the limit")];
    let answers = kit.store.progress(reports).await.unwrap();
    assert_eq!(answers, [Finished::Applied(TaskStatus::Running), Finished::Applied(TaskStatus::Running)]);
    let progress = kit.get(id).await.progress.unwrap();
    assert!((progress.fraction - 0.5).abs() < f64::EPSILON);
    assert!(progress.message.len() <= 16 && progress.message.starts_with("a text"), "{}", progress.message);
    let recorded = kit.recorded();
    let last = recorded.last().unwrap();
    assert_eq!((last.from, last.to), (Some(TaskStatus::Running), TaskStatus::Running));
    assert_eq!(last.progress.as_deref(), Some(&*progress));
    assert!(!last.is_terminal());
    kit.end(&claimed, retry_after(MINUTE), TaskStatus::Retrying).await;
    kit.advance(MINUTE).await;
    kit.claim_one().await;
    assert!(kit.get(id).await.progress.is_none());
}

/// A worker that lost its claim writes nothing.
pub async fn progress_under_another_fence_is_stale(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    let report = |fence| vec![ProgressReport::new(id, fence, Progress::new(0.5, String::new()))];
    let stale = kit.store.progress(report(claimed.fence.next())).await.unwrap();
    assert_eq!(stale, [Finished::Stale]);
    kit.end(&claimed, success(), TaskStatus::Success).await;
    assert_eq!(kit.store.progress(report(claimed.fence)).await.unwrap(), [Finished::Stale]);
    assert!(kit.get(id).await.progress.is_none());
}

/// New, due, given back, admitted: who waits for tasks is told in which queue. Batches are told once.
pub async fn ready_tasks_are_signalled(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let ready = |kit: &Kit| {
        let signals = kit.signals();
        let ready = signals.into_iter().filter_map(|it| match it {
            Signal::Ready { queue, count } if count > 0 => Some((queue, count)),
            _ => None,
        });
        let mut ready = ready.collect::<Vec<_>>();
        ready.sort();
        ready
    };
    ready(&kit);
    let other = kit.task().with(|it| it.queue = OTHER_QUEUE);
    kit.store.enqueue(vec![kit.task(), other, kit.task()]).await.unwrap();
    assert_eq!(ready(&kit), [(QUEUE, 2), (OTHER_QUEUE, 1)]);
    let claimed = kit.claim(10).await;
    kit.submit(kit.task_in(HOUR)).await;
    assert!(ready(&kit).is_empty());
    kit.end(&claimed[0], AttemptEnd::Release, TaskStatus::Pending).await;
    assert_eq!(ready(&kit), [(claimed[0].queue.clone(), 1)]);
    kit.advance(HOUR).await;
    kit.reap().await;
    let all: usize = ready(&kit).iter().map(|(_, count)| count).sum();
    assert_eq!(all, 3, "one was due, two came back from a dead worker");
    kit.store.control(Control::Pause { queue: QUEUE }).await.unwrap();
    ready(&kit);
    kit.store.control(Control::Resume { queue: QUEUE }).await.unwrap();
    assert_eq!(ready(&kit).len(), 1);
}

/// A sink lives as long as its owner wants; the others go on.
pub async fn a_sink_that_is_gone_is_forgotten(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let sink = Arc::new(Recorder::default());
    kit.store.attach(Arc::downgrade(&sink) as Weak<dyn SignalSink>);
    kit.submit(kit.task()).await;
    assert_eq!(sink.count(), 1);
    drop(sink);
    let id = kit.submit(kit.task()).await;
    assert_eq!(kit.transitions(id).len(), 1);
}

/// Heartbeats over the store's own connection reach the same tasks.
pub async fn a_dedicated_store_is_the_same_store(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let dedicated = kit.store.dedicated().await.unwrap();
    let id = kit.submit(kit.task()).await;
    assert!(dedicated.get(vec![id]).await.unwrap()[0].is_some());
    assert_eq!(dedicated.kind(), kit.store.kind());
    assert_eq!(dedicated.capabilities(), kit.store.capabilities());
}

/// A lease that is renewed over the store's own connection is renewed.
pub async fn a_dedicated_store_keeps_leases(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let dedicated = kit.store.dedicated().await.unwrap();
    let id = kit.submit(kit.task()).await;
    let claimed = kit.claim_one().await;
    for _ in 0..3 {
        kit.advance_in_silence(LEASE - SECOND);
        let held = vec![Held { id, fence: claimed.fence }];
        assert!(dedicated.heartbeat(Heartbeat::new(kit.worker, held, LEASE)).await.unwrap().is_empty());
    }
    assert_eq!(dedicated.reap(10).await.unwrap().recovered, 0);
    kit.end(&claimed, success(), TaskStatus::Success).await;
}
