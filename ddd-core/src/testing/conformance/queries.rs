//! What is known about tasks.

use std::time::Duration;

use super::{
    kit::{HOUR, Kit, MINUTE, NAME, OTHER_QUEUE, QUEUE, SECOND, With, failed, retry_after, success, timeout},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Filter, Label, Name, TaskId, TaskStatus},
    ports::{Control, Position},
};

/// Records come in the order of the ids; one that is not there is `None`.
pub async fn unknown_tasks_are_none(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let first = kit.submit(kit.task()).await;
    let second = kit.submit(kit.task()).await;
    let records = kit.store.get(vec![second, kit.task().id, first]).await.unwrap();
    let ids = records.iter().map(|it| it.as_ref().map(|it| it.id)).collect::<Vec<_>>();
    assert_eq!(ids, [Some(second), None, Some(first)]);
    assert!(kit.store.get(Vec::new()).await.unwrap().is_empty());
}

/// Each record is on one page, however the pages are cut, and also when newer ones arrive meanwhile.
pub async fn pages_go_from_the_newest_to_the_oldest(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(kit.submit(kit.task()).await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = kit.store.list(Filter::all(), cursor, 3).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items.iter().map(|it| it.id));
        kit.submit(kit.task()).await;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let exact = kit.store.list(Filter::all().ids(ids[..3].iter().copied()), None, 3).await.unwrap();
    assert!(exact.next.is_none(), "a last page that is full says that it is the last");
}

/// The tasks before another are those that are handed out before it.
pub async fn a_position_counts_what_comes_before(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for (level, minutes) in [(0, 1), (3, 1), (0, 1), (-2, 200), (3, 1), (10, 1), (0, 1)] {
        ids.push(kit.submit(kit.task_of_priority(level)).await);
        kit.advance(minutes * MINUTE).await;
    }
    kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    let delayed = kit.submit(kit.task_in(HOUR)).await;
    kit.cancel(ids[2]).await;
    ids.remove(2);
    let running = kit.claim_one().await.id;
    ids.retain(|it| *it != running);
    let asked = [ids.clone(), vec![delayed, running, kit.task().id]].concat();
    let found = kit.store.positions(asked, 1_000).await.unwrap();
    let [before @ .., of_delayed, of_running, of_unknown] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*of_delayed, Some(Position::new(TaskStatus::Delayed, None)));
    assert_eq!(*of_running, Some(Position::new(TaskStatus::Running, None)));
    assert_eq!(*of_unknown, None);
    let capped = kit.store.positions(ids.clone(), 2).await.unwrap();
    let mut seen = Vec::new();
    for (place, id) in kit.claim_ids_of(QUEUE, 10).await.into_iter().enumerate() {
        let index = ids.iter().position(|it| *it == id).unwrap();
        assert_eq!(before[index], Some(Position::new(TaskStatus::Pending, Some(place))), "{index}");
        assert_eq!(capped[index], Some(Position::new(TaskStatus::Pending, Some(place.min(2)))), "{index}");
        seen.push(index);
    }
    assert_eq!(seen.len(), ids.len());
    assert!(!seen.is_sorted(), "the order is not that of submission");
}

/// The count stops where it is told to, and is exact below.
pub async fn a_position_far_behind_is_not_counted_out(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(kit.submit(kit.task()).await);
    }
    let found = kit.store.positions(vec![ids[0], ids[63], ids[199], ids[299]], 200).await.unwrap();
    let ahead = found.iter().map(|it| it.unwrap().ahead).collect::<Vec<_>>();
    assert_eq!(ahead, [Some(0), Some(63), Some(199), Some(200)]);
}

/// Every part of a filter narrows, and they narrow together.
pub async fn filters_narrow_the_list(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let mut label = Label { tags: vec![Name::new("red")], ..Label::default() };
    label.origin.owner = Some("ann".to_owned());
    let tagged = kit.submit(kit.task().with(|it| it.label = Some(Box::new(label)))).await;
    let named = kit.submit(kit.task().with(|it| it.name = Name::new("kernel"))).await;
    kit.advance(MINUTE).await;
    let other = kit.submit(kit.task().with(|it| it.queue = OTHER_QUEUE)).await;
    let delayed = kit.submit(kit.task_in(HOUR)).await;
    let since = kit.get(other).await.created_at;
    let cases: [(Filter, &[TaskId]); 12] = [
        (Filter::all(), &[delayed, other, named, tagged]),
        (Filter::all().status(TaskStatus::Delayed), &[delayed]),
        (Filter::all().status(TaskStatus::Delayed).status(TaskStatus::Pending).queue(QUEUE), &[delayed, named, tagged]),
        (Filter::all().finished(), &[]),
        (Filter::all().name(NAME), &[delayed, other, tagged]),
        (Filter::all().name_prefix("kn"), &[delayed, other, tagged]),
        (Filter::all().name_prefix("k"), &[delayed, other, named, tagged]),
        (Filter::all().queue(OTHER_QUEUE), &[other]),
        (Filter::all().tag("red"), &[tagged]),
        (Filter::all().owner("ann"), &[tagged]),
        (Filter::all().since(since), &[delayed, other]),
        (Filter::all().ids([tagged, delayed, kit.task().id]), &[delayed, tagged]),
    ];
    for (filter, expected) in cases {
        let page = kit.store.list(filter.clone(), None, 10).await.unwrap();
        assert_eq!(page.items.iter().map(|it| it.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert!(page.next.is_none());
    }
}

/// The figures equal the records, and the totals go on counting.
pub async fn statistics_count_what_is_and_what_was(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for _ in 0..4 {
        kit.submit(kit.task().with(|it| it.max_attempts = 2)).await;
    }
    kit.submit(kit.task_of_priority(5).with(|it| it.name = Name::new("kernel"))).await;
    kit.submit(kit.task_in(HOUR)).await;
    kit.store.declare(super::kit::declaration(kit.worker, &[(NAME, 1), (Name::new("kernel"), 1)])).await.unwrap();
    let claimed = kit.claim(5).await;
    kit.advance(2 * SECOND).await;
    kit.end(&claimed[0], success(), TaskStatus::Success).await;
    kit.end(&claimed[1], failed(), TaskStatus::Failed).await;
    kit.end(&claimed[2], retry_after(HOUR), TaskStatus::Retrying).await;
    kit.end(&claimed[3], timeout(false), TaskStatus::Timeout).await;
    let all = kit.store.statistics().await.unwrap();
    assert_eq!((all.submitted, all.started, all.retried), (6, 5, 1));
    let expected = [
        (TaskStatus::Running, 1),
        (TaskStatus::Delayed, 1),
        (TaskStatus::Retrying, 1),
        (TaskStatus::Success, 1),
        (TaskStatus::Failed, 1),
        (TaskStatus::Timeout, 1),
    ];
    for (status, count) in expected {
        assert_eq!(all.now.get(status), count, "{status}");
    }
    assert_eq!((all.now.total(), all.finished.total(), all.last_24h.total()), (6, 3, 3));
    assert!((all.success_rate.unwrap() - 1.0 / 3.0).abs() < 1e-9);
    assert!(all.throughput > 0.0);
    assert_eq!(all.tasks.len(), 2);
    assert_eq!((all.tasks[&NAME].submitted, all.tasks[&NAME].retried), (5, 1));
    assert_eq!(all.tasks["kernel"].finished.get(TaskStatus::Success), 1, "the most urgent came first");
    assert_eq!((all.priorities[&0].total(), all.priorities[&5].total()), (5, 1));
    assert_eq!(all.queues[&QUEUE].total(), 6);
    assert_eq!((all.run_time.count, all.wait_time.count), (3, 3));
    assert!(all.run_time.median >= 2 * SECOND && all.run_time.median < MINUTE, "{:?}", all.run_time);
    assert!(all.wait_time.max < MINUTE);
    // What was counted stays counted when the record is gone.
    kit.control(Control::Delete { ids: vec![claimed[0].id] }).await;
    kit.advance(25 * HOUR).await;
    let all = kit.store.statistics().await.unwrap();
    assert_eq!((all.now.total(), all.finished.total(), all.last_24h.total()), (5, 3, 0));
}

const RETENTION: Duration = Duration::from_secs(3 * 3_600);

/// Upkeep drops finished records after their time, and no others.
pub async fn finished_records_are_dropped_when_they_are_old(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.history_ttl = RETENTION).await;
    let done = kit.submit(kit.task()).await;
    kit.end(&kit.claim_one().await, success(), TaskStatus::Success).await;
    let cancelled = kit.submit(kit.task()).await;
    kit.cancel(cancelled).await;
    let waiting = kit.submit(kit.task()).await;
    kit.advance(RETENTION - MINUTE).await;
    assert_eq!(kit.reap().await.pruned, 0);
    kit.advance(2 * MINUTE).await;
    assert_eq!(kit.reap().await.pruned, 2);
    assert!(kit.find(done).await.is_none() && kit.find(cancelled).await.is_none());
    assert_eq!(kit.status(waiting).await, TaskStatus::Pending);
}

/// Failed and timed-out tasks have a time of their own.
pub async fn failed_records_are_kept_longer(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| (it.history_ttl, it.failed_ttl) = (RETENTION, 2 * RETENTION)).await;
    for _ in 0..2 {
        kit.submit(kit.task()).await;
    }
    let claimed = kit.claim(2).await;
    kit.end(&claimed[0], failed(), TaskStatus::Failed).await;
    kit.end(&claimed[1], timeout(false), TaskStatus::Timeout).await;
    kit.advance(RETENTION + MINUTE).await;
    assert_eq!(kit.reap().await.pruned, 0);
    kit.advance(RETENTION).await;
    assert_eq!(kit.reap().await.pruned, 2);
    assert!(kit.find(claimed[0].id).await.is_none());
}
