//! What lists show, and that they come to their end.

use super::{
    kit::{HOUR, Kit, MINUTE, QUEUE, SECOND, With, error, failed, json, retry_after},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{AttemptError, FailureKind, Filter, Label, Name, Progress, TaskId, TaskStatus, TaskSummary, Timestamp},
    ports::{AttemptEnd, NewTask, ProgressReport},
};

/// The beginning of time, when nothing has expired.
const BEFORE_ALL: Timestamp = Timestamp::from_micros(i64::MIN);

fn labelled(task: NewTask, tag: Name) -> NewTask {
    let mut label = Label { tags: vec![tag], ..Label::default() };
    label.origin.owner = Some("ann".to_owned());
    label.unique_key = Some("known:7".to_owned());
    task.with(|it| it.label = Some(Box::new(label)))
}

/// A list shows of each task what its record holds, less what may be large; of its newest error the first line.
pub async fn a_list_shows_each_task_in_short(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    for number in 0..4 {
        kit.submit(kit.task().with(|it| (it.params, it.max_attempts) = (json(r#"{"text":"\u0000é"}"#), 3 + number)))
            .await;
    }
    let claimed = kit.claim(4).await;
    kit.advance(SECOND).await;
    let progress = Progress::new(0.5, "half of it".to_owned());
    kit.store.progress(vec![ProgressReport::new(claimed[0].id, claimed[0].fence, progress)]).await.unwrap();
    let success = AttemptEnd::Success { result: Some(json(r#"{"a":1}"#)), ttl: MINUTE };
    kit.end(&claimed[1], success, TaskStatus::Success).await;
    let message = format!("the first line: {{\"run\":1,\u{0}\"é\n{}", "and what follows it ".repeat(50));
    kit.end(&claimed[2], AttemptEnd::Failed(error(FailureKind::Panic, &message)), TaskStatus::Failed).await;
    kit.end(&claimed[3], retry_after(HOUR), TaskStatus::Retrying).await;
    kit.submit(labelled(kit.task_in(HOUR), Name::new("red"))).await;
    let page = kit.store.list(Filter::all(), None, 10).await.unwrap();
    assert_eq!(page.items.len(), 5);
    for shown in &page.items {
        assert_eq!(*shown, TaskSummary::of(&kit.get(shown.id).await, BEFORE_ALL));
    }
    let of = |id: TaskId| page.items.iter().find(|it| it.id == id).unwrap();
    let first_line = |it: &TaskSummary| it.error.as_ref().map(|it| it.message.lines().count());
    assert_eq!(claimed.iter().map(|it| first_line(of(it.id))).collect::<Vec<_>>(), [None, None, Some(1), Some(1)]);
    assert_eq!(claimed.iter().filter(|it| of(it.id).has_result).count(), 1);
    assert!(of(claimed[1].id).has_result && of(claimed[0].id).progress.is_some());
    for (status, number) in [(TaskStatus::Running, 0), (TaskStatus::Failed, 2)] {
        let found = kit.store.list(Filter::all().status(status), None, 10).await.unwrap().items;
        assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [claimed[number].id], "{status}");
    }
    kit.advance(2 * MINUTE).await;
    let page = kit.store.list(Filter::all().ids([claimed[1].id]), None, 10).await.unwrap();
    assert!(!page.items[0].has_result, "its time is over");
}

/// Of many errors a list shows the newest.
pub async fn a_list_shows_the_newest_error(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    let id = kit.submit(kit.task().with(|it| it.max_attempts = 30)).await;
    let shown = async || kit.store.list(Filter::all(), None, 1).await.unwrap().items.remove(0).error;
    assert!(shown().await.is_none());
    for number in 1..=3 {
        let claimed = kit.claim_one().await;
        let error = error(FailureKind::Error, &format!("attempt {number}"));
        kit.end(&claimed, AttemptEnd::Retry { error, delay: SECOND }, TaskStatus::Retrying).await;
        kit.advance(2 * SECOND).await;
        let AttemptError { attempt, message, .. } = *shown().await.unwrap();
        assert_eq!((attempt, message), (number, format!("attempt {number}")));
    }
    assert_eq!(kit.get(id).await.errors.len(), 3);
}

/// More tasks than one search looks at, of which few are meant: whoever goes on at the cursor finds each of them, once and in
/// order, and comes to an end.
pub async fn a_search_among_many_comes_to_its_end(store: StoreUnderTest) {
    const BATCH: usize = 1_000;
    const BATCHES: usize = 12;
    const RARE: Name = Name::new("rare");
    let kit = Kit::new(store).await;
    let mut meant = Vec::new();
    for batch in 0..BATCHES {
        let tasks = (0..BATCH).map(|number| match (batch, number) {
            // One is the oldest of all, and one the newest.
            (0, 0) | (5, 7) | (5, 8) => labelled(kit.task(), RARE),
            (11, 999) => labelled(kit.task_in(HOUR), RARE),
            _ => kit.task(),
        });
        let mut tasks = tasks.collect::<Vec<_>>();
        tasks.iter_mut().filter_map(|it| it.label.as_mut()).for_each(|it| it.unique_key = None);
        meant.extend(tasks.iter().filter(|it| it.label.is_some()).map(|it| it.id));
        kit.store.enqueue(tasks).await.unwrap();
    }
    let claimed = kit.claim_one().await;
    kit.end(&claimed, failed(), TaskStatus::Failed).await;
    meant.reverse();
    let rare = || Filter::all().tag(RARE);
    let owned = Filter::all().owner("ann");
    let cases: [(Filter, &[TaskId]); 5] = [
        (rare(), &meant),
        (owned, &meant),
        (rare().queue(QUEUE).status(TaskStatus::Pending), &meant[1..3]),
        (rare().status(TaskStatus::Delayed), &meant[..1]),
        (Filter::all().name_prefix("kno").finished(), &[claimed.id]),
    ];
    for (filter, expected) in cases {
        for limit in [1, 2, 50] {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = kit.store.list(filter.clone(), cursor, limit).await.unwrap();
                assert!(page.items.len() <= limit);
                let is_on = |id: TaskId| cursor.is_none_or(|it: crate::domain::Cursor| id < it.0);
                assert!(page.items.iter().all(|it| is_on(it.id)), "nothing comes again");
                assert!(page.next.is_none_or(|it| is_on(it.0)), "a search goes forward");
                found.extend(page.items.iter().map(|it| it.id));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{filter:?}, {limit} at a time");
        }
    }
    assert_eq!(kit.store.list(Filter::all().ids(meant.clone()), None, 4).await.unwrap().items.len(), 4);
}
