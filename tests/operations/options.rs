//! What a submission and a builder are told, and in which forms.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use ddd_core::{
    Configuration, MemoryStore, Priority, QueueSettings, Quota, Retry, Settings, SubmitError, TaskOverrides, TaskStatus,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::support::{builder, echo, millis, nap, record, secs, started, status};

#[tokio::test(start_paused = true)]
async fn numbers_and_texts_are_taken_where_they_are_meant() {
    let app = started().await;
    let task = || nap { millis: 0 };
    let handle = app.submit(task()).priority(5).delay("5m").timeout("250ms").await.unwrap();
    let one = record(&handle).await;
    assert_eq!((one.priority.get(), one.timeout), (5, millis(250)));
    assert_eq!(one.due.since(one.created_at), secs(300));
    let text = "2h".to_owned();
    let handle = app.submit(task()).priority(Priority::MIN).delay(secs(9)).timeout(&text).await.unwrap();
    let one = record(&handle).await;
    assert_eq!((one.priority, one.timeout), (Priority::MIN, secs(7_200)));
    assert_eq!(one.due.since(one.created_at), secs(9));
    assert_eq!(record(&app.submit(task()).delay("1d").priority(-10_i64).await.unwrap()).await.priority, Priority::MIN);
}

#[tokio::test(start_paused = true)]
async fn what_is_none_is_refused_with_what_to_write() {
    let app = started().await;
    let task = || nap { millis: 0 };
    for (submission, hint) in [
        (app.submit(task()).priority(11), "priority 11 is outside -10..=10"),
        (app.submit(task()).priority(-300), "priority -300 is outside"),
        (app.submit(task()).delay("5min"), "`5min` is no duration; write a whole number and a unit: `250ms`"),
        (app.submit(task()).delay("5"), "`5` is no duration"),
        (app.submit(task()).delay("s"), "`s` is no duration"),
        (app.submit(task()).delay("-5s"), "`-5s` is no duration"),
        (app.submit(task()).delay("36501d"), "`36501d` is too long"),
        (app.submit(task()).delay("99999999999999999999s"), "is too long"),
        (app.submit(task()).timeout("0s"), "the timeout is zero"),
        (app.submit(task()).timeout("1.5s"), "`1.5s` is no duration"),
        (app.submit(task()).tags(["fine", "not fine"]), "tag `not fine`: a name consists of"),
        (app.submit(task()).tags([""]), "tag ``: a name may not be empty"),
        (app.submit(task()).queue("no spaces").priority(99), "queue `no spaces`"),
    ] {
        let error = submission.await.unwrap_err();
        assert!(matches!(error, SubmitError::InvalidOption(_)), "{error:?}");
        assert!(error.to_string().starts_with(hint) || error.to_string().contains(hint), "{error}");
    }
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 0);
}

#[tokio::test(start_paused = true)]
async fn a_builder_does_not_care_what_is_said_first() {
    let mut settings = Settings::default();
    settings.result_ttl = secs(7);
    settings.timeout = secs(8);
    let quota = Quota::new(1, secs(10)).unwrap();
    let app = builder()
        .slots(3)
        .timeout(secs(9))
        .queue("narrow", QueueSettings::new().max_depth(2).concurrency(1))
        .override_task("nap", TaskOverrides::new().priority(Priority::MAX))
        .settings(settings)
        .queue_rate("narrow", quota)
        .override_task("nap", TaskOverrides::new().retry(Retry::attempts(2)))
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    assert_eq!(app.tasks().workers().await.unwrap()[0].slots, 3);
    let nap = &app.registry().find("nap").unwrap().settings;
    assert_eq!((nap.timeout, nap.result_ttl), (secs(9), secs(7)));
    assert_eq!((nap.priority, nap.retry.max_attempts), (Priority::MAX, 2));
    let queues = app.tasks().queues().await.unwrap();
    let narrow = queues.iter().find(|it| it.name == "narrow").unwrap().settings;
    assert_eq!(narrow, QueueSettings::new().max_depth(2).concurrency(1).rate_limit(quota));
}

/// Keeps the messages of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Visit for Warnings {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_nothing_names_is_told_once_and_taken() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let app = builder().queue("reports", QueueSettings::new()).build().await.unwrap();
    let submit = async |queue: &str| app.submit(echo { text: "x".into() }).queue(queue).await.unwrap();
    for queue in ["default", "faults", "reports"] {
        submit(queue).await;
    }
    assert_eq!(*warnings.0.lock().unwrap(), [""; 0]);
    let lost = submit("repotrs").await;
    submit("repotrs").await;
    assert_eq!(status(&lost).await, TaskStatus::Pending);
    let told = warnings.0.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("names the queue `repotrs`") && told[0].ends_with("did you mean `reports`?"), "{told:?}");
    submit("elsewhere").await;
    assert_eq!(warnings.0.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn settings_of_a_queue_that_looks_mistyped_and_a_url_that_is_not_used_are_told() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let configuration = Configuration::builder()
        .directory("there/is/none")
        .without_dotenv()
        .environment::<&str, &str>([])
        .set("queues.faluts.max_depth", 1)
        .set("queues.elsewhere.max_depth", 1)
        .set("store.url", "memroy:")
        .load()
        .unwrap();
    builder().configuration(&configuration).store(MemoryStore::new()).build().await.unwrap();
    let told = warnings.0.lock().unwrap().clone();
    let expected = [
        "code: `queues.faluts`: settings of the queue `faluts`, which no task is in; did you mean `faults`?",
        "code: `store.url`: it is not used, as the program says in code where tasks are kept",
    ];
    assert_eq!(told, expected);
}
