//! Questions about tasks: records, lists, history.

use std::collections::HashSet;

use ddd_core::{
    App, Filter, Name, Page, Settings, Task, TaskId, TaskStatus, TaskSummary, Timestamp,
    domain::{Cursor, Origin},
    ports::Controlled,
    task,
};

use crate::support::{all, builder, builder_with, echo, fail, millis, nap, pass, record, secs, started, until};

fn ids(page: &Page<TaskSummary>) -> Vec<TaskId> {
    page.items.iter().map(|it| it.id).collect()
}

async fn found(app: &App, filter: Filter) -> Vec<TaskId> {
    all(app, filter).await.iter().map(|it| it.id).collect()
}

#[task]
async fn pay(account: u64, #[secret] pin: String) -> Result<u64, String> {
    if pin == "1234" { Ok(account) } else { Err(format!("no such pin for {account}")) }
}

#[tokio::test(start_paused = true)]
async fn a_record_tells_the_life_of_its_task() {
    let app = started().await;
    pass(secs(10)).await;
    let body = app.submit(nap { millis: 250 }).delay(secs(5)).await.unwrap();
    let delayed = record(&body).await;
    assert_eq!((delayed.status, delayed.attempt, delayed.started_at), (TaskStatus::Delayed, 0, None));
    assert_eq!(delayed.due, delayed.created_at.after(secs(5)));
    assert_eq!(delayed.waits_for().unwrap(), "its due time, 2026-01-01T00:00:15Z");
    body.result().await.unwrap();
    let done = record(&body).await;
    assert_eq!((done.status, done.run, done.attempt, done.fence.get()), (TaskStatus::Success, 1, 1, 1));
    assert_eq!(done.started_at, Some(delayed.due));
    assert_eq!(done.finished_at, Some(delayed.due.after(millis(250))));
    assert_eq!(done.duration(), Some(millis(250)));
    assert!(done.worker.is_some() && done.lease_until.is_none() && done.errors.is_empty());
    assert!(app.tasks().get(TaskId::from_parts(Timestamp::from_micros(0), 0, 0)).await.unwrap().is_none());
}

#[tokio::test]
async fn few_among_many_are_found_in_pieces() {
    let app = builder().build().await.unwrap();
    let first = app.submit(nap { millis: 1 }).tags(["rare"]).await.unwrap();
    for handle in app.submit_many((0..30_000).map(|_| nap { millis: 1 })).await.unwrap() {
        handle.unwrap();
    }
    let rare = || Filter::all().tag("rare");
    let found = app.tasks().list(rare(), None, 5).await.unwrap();
    assert_eq!(found.items.iter().map(|it| it.id).collect::<Vec<_>>(), [first.id()], "a list looks to the end");
    assert!(found.next.is_none());
    let (mut pages, mut cursor, mut seen) = (0, None, 0);
    loop {
        let page = app.tasks().list_for(millis(0), rare(), cursor, 5).await.unwrap();
        (pages, cursor, seen) = (pages + 1, page.next, seen + page.items.len());
        if cursor.is_none() {
            break;
        }
        assert!(page.items.is_empty() || pages > 1, "the first look does not go so far");
    }
    assert!(seen == 1 && pages > 1, "{seen} on {pages} pages");
    // Others have their turn between two pieces.
    let mut turns = 0;
    let tasks = app.tasks();
    let list = tasks.list(rare(), None, 5);
    tokio::pin!(list);
    while std::future::poll_fn(|cx| std::task::Poll::Ready(list.as_mut().poll(cx).is_pending())).await {
        turns += 1;
    }
    assert!(turns >= 3, "{turns}");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_not_shown() {
    let app = builder_with([pay::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let body = app.submit(pay { account: 7, pin: "1234".into() }).await.unwrap();
    assert_eq!(body.result().await.unwrap(), 7, "the body sees them");
    for shown in [
        record(&body).await,
        app.tasks().get(body.id()).await.unwrap().unwrap(),
        all(&app, Filter::all()).await.remove(0),
    ] {
        assert_eq!(shown.params.get(), r#"{"account":7,"pin":"***"}"#);
    }
}

#[tokio::test(start_paused = true)]
async fn each_filter_narrows() {
    let app = started().await;
    let origin = |owner: &str| {
        let mut origin = Origin::default();
        origin.owner = Some(owner.to_owned());
        origin
    };
    let first = app.submit(echo { text: "a".into() }).tags(["red", "round"]).origin(origin("ann")).await.unwrap().id();
    let failed = app.submit(fail { millis: 0 }).await.unwrap().id();
    app.tasks().wait_idle().await.unwrap();
    pass(secs(10)).await;
    let later = app.tasks().statistics().await.map(|_| Timestamp::parse("2026-01-01T00:00:10Z").unwrap()).unwrap();
    let second = app.submit(echo { text: "b".into() }).queue("side").tags(["red"]).await.unwrap().id();
    let delayed = app.submit(nap { millis: 1 }).delay(secs(60)).origin(origin("bob")).await.unwrap().id();

    let filter = Filter::all;
    assert_eq!(found(&app, filter()).await, [delayed, second, failed, first], "newest first");
    assert_eq!(found(&app, filter().status(TaskStatus::Failed)).await, [failed]);
    assert_eq!(found(&app, filter().status(TaskStatus::Failed).status(TaskStatus::Delayed)).await, [delayed, failed]);
    assert_eq!(found(&app, filter().finished()).await, [failed, first]);
    assert_eq!(found(&app, filter().name("echo")).await, [second, first]);
    assert_eq!(found(&app, filter().name_prefix("ec")).await, [second, first]);
    assert_eq!(found(&app, filter().name_prefix("x")).await, []);
    assert_eq!(found(&app, filter().queue("side")).await, [second]);
    assert_eq!(found(&app, filter().queue("faults")).await, [failed]);
    assert_eq!(found(&app, filter().tag("red")).await, [second, first]);
    assert_eq!(found(&app, filter().tag("round")).await, [first]);
    assert_eq!(found(&app, filter().since(later)).await, [delayed, second]);
    assert_eq!(found(&app, filter().owner("ann")).await, [first]);
    assert_eq!(found(&app, filter().ids([first, delayed, first])).await, [delayed, first]);
    assert_eq!(found(&app, filter().tag("red").owner("bob")).await, [], "every part narrows");
    let history = app.tasks().history(filter().status(TaskStatus::Delayed), None, 10).await.unwrap();
    assert_eq!(ids(&history), [failed, first], "history is of the finished");
    let history = app.tasks().history(filter().status(TaskStatus::Failed), None, 10).await.unwrap();
    assert_eq!(ids(&history), [failed]);
}

#[tokio::test(start_paused = true)]
async fn pages_are_complete_and_repeat_nothing_while_tasks_come_and_end() {
    let app = started().await;
    let mut before = HashSet::new();
    for number in 0..2_500 {
        before.insert(app.submit(nap { millis: number % 40 }).await.unwrap().id());
    }
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    let mut pages = 0;
    loop {
        let page = app.tasks().list(Filter::all().name("nap"), cursor, 97).await.unwrap();
        assert!(page.items.len() == 97 || page.next.is_none());
        seen.extend(ids(&page));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        app.submit(nap { millis: 1 }).await.unwrap();
        pass(millis(3)).await;
    }
    assert_eq!(pages, 2_500_usize.div_ceil(97));
    assert_eq!(seen.len(), 2_500);
    assert!(seen.windows(2).all(|it| it[0] > it[1]), "newest first, none twice");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), before);
    let exact = app.tasks().list(Filter::all().ids(before.into_iter().take(5)), None, 5).await.unwrap();
    assert_eq!((exact.items.len(), exact.next), (5, None), "a last page that is full has no next");
}

fn keeping(history_max: usize) -> Settings {
    let mut settings = Settings::default();
    settings.store.history_max = history_max;
    settings.store.history_ttl = secs(600);
    settings.store.failed_ttl = secs(1_200);
    settings
}

#[tokio::test(start_paused = true)]
async fn history_is_bounded_by_count() {
    let app = builder().settings(keeping(10)).build().await.unwrap();
    app.start_workers().await.unwrap();
    let failed = app.submit(fail { millis: 0 }).await.unwrap().id();
    let mut done = Vec::new();
    for _ in 0..50 {
        let body = app.submit(nap { millis: 0 }).await.unwrap();
        body.result().await.unwrap();
        done.push(body.id());
    }
    pass(secs(10)).await;
    let kept = found(&app, Filter::all().finished()).await;
    done.reverse();
    assert_eq!(kept[..10], done[..10], "the newest stay");
    assert_eq!(kept[10..], [failed], "failed ones are counted apart");
    let statistics = app.tasks().statistics().await.unwrap();
    assert_eq!(statistics.finished.get(TaskStatus::Success), 50, "totals forget nothing");
    assert_eq!(statistics.now.get(TaskStatus::Success), 10);
}

#[tokio::test(start_paused = true)]
async fn history_is_bounded_by_age_and_failures_are_kept_longer() {
    let app = builder().settings(keeping(100)).build().await.unwrap();
    app.start_workers().await.unwrap();
    app.submit(nap { millis: 0 }).await.unwrap();
    let failed = app.submit(fail { millis: 0 }).await.unwrap().id();
    let waiting = app.submit(nap { millis: 0 }).delay(secs(36_000)).await.unwrap().id();
    pass(secs(590)).await;
    assert_eq!(found(&app, Filter::all()).await.len(), 3);
    pass(secs(20)).await;
    assert_eq!(found(&app, Filter::all()).await, [waiting, failed]);
    pass(secs(600)).await;
    assert_eq!(found(&app, Filter::all()).await, [waiting], "what is not finished is never pruned");
}

#[tokio::test(start_paused = true)]
async fn cleanup_and_delete_drop_what_is_finished() {
    let app = started().await;
    let old: Vec<_> =
        [app.submit(nap { millis: 0 }).await.unwrap().id(), app.submit(fail { millis: 0 }).await.unwrap().id()].into();
    pass(secs(100)).await;
    let new = app.submit(nap { millis: 0 }).await.unwrap();
    new.result().await.unwrap();
    let running = app.submit(nap { millis: 10_000 }).await.unwrap();
    until(&running, TaskStatus::Running).await;
    assert_eq!(app.tasks().cleanup(secs(1_000)).await.unwrap(), 0);
    assert_eq!(app.tasks().cleanup(secs(50)).await.unwrap(), 2);
    assert_eq!(found(&app, Filter::all()).await, [running.id(), new.id()]);
    for id in old {
        assert!(app.tasks().get(id).await.unwrap().is_none());
        assert_eq!(app.tasks().delete(id).await.unwrap(), Controlled::Unknown);
    }
    assert_eq!(app.tasks().delete(running.id()).await.unwrap(), Controlled::Refused(TaskStatus::Running));
    assert_eq!(app.tasks().delete(new.id()).await.unwrap(), Controlled::Applied(TaskStatus::Success));
    assert_eq!(app.tasks().cleanup(secs(0)).await.unwrap(), 0);
    running.result().await.unwrap();
    for _ in 0..1_200 {
        app.submit(nap { millis: 0 }).await.unwrap();
    }
    app.tasks().wait_idle().await.unwrap();
    assert_eq!(app.tasks().cleanup(secs(0)).await.unwrap(), 1_201, "over many pages");
    assert_eq!(found(&app, Filter::all()).await, []);
}

#[tokio::test(start_paused = true)]
async fn queues_and_workers_are_shown_as_they_are() {
    let settings = ddd_core::QueueSettings::new().max_depth(7);
    let app = builder().queue("narrow", settings).slots(3).build().await.unwrap();
    app.start_workers().await.unwrap();
    let running = app.submit(nap { millis: 1_000 }).await.unwrap();
    until(&running, TaskStatus::Running).await;
    app.tasks().pause("narrow").await.unwrap();
    pass(secs(1)).await;
    app.submit(nap { millis: 0 }).queue("narrow").await.unwrap();
    app.submit(nap { millis: 0 }).queue("narrow").delay(secs(9)).await.unwrap();
    let queues = app.tasks().queues().await.unwrap();
    let narrow = queues.iter().find(|it| it.name == "narrow").unwrap();
    assert!(narrow.paused);
    assert_eq!(narrow.settings, settings);
    assert_eq!((narrow.counts.get(TaskStatus::Pending), narrow.counts.get(TaskStatus::Delayed)), (1, 1));
    assert_eq!(narrow.oldest_due.unwrap().to_string(), "2026-01-01T00:00:01.005Z");
    let default = queues.iter().find(|it| it.name == "default").unwrap();
    assert!(!default.paused && default.oldest_due.is_none());
    let workers = app.tasks().workers().await.unwrap();
    assert_eq!(workers.len(), 1);
    assert_eq!(workers[0].slots, 3);
    let known: Vec<Name> = workers[0].known.iter().map(|it| it.name.clone()).collect();
    assert_eq!(known, ["echo", "fail", "nap"].map(Name::new));
    assert!(workers[0].queues.contains(&Name::new("narrow")) && workers[0].queues.contains(&Name::new("faults")));
    pass(secs(20)).await;
    let later = &app.tasks().workers().await.unwrap()[0];
    assert!(later.seen_at > workers[0].seen_at && later.started_at == workers[0].started_at);
    app.check().await.unwrap();
    app.shutdown(secs(1)).await;
    assert!(app.tasks().workers().await.unwrap().is_empty());
}
