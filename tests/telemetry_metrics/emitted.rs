use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use ddd_core::{App, Task as _, cached, task};
use ddd_web::{Access, Api};
use tower::ServiceExt as _;

use crate::recorder::Kept;

#[task(retry(max_attempts = 2, delay = "1ms"))]
async fn measured(fails: bool) -> Result<u32, String> {
    if fails { Err("it was to fail: canary-5e5e".to_owned()) } else { Ok(looked_up(1).await) }
}

#[task(schedule(every = "1h"))]
async fn hourly() {}

#[cached("1m", name = "metered_cache")]
async fn looked_up(id: u32) -> u32 {
    id
}

/// Kind, unit and labels by name, as the table says.
type Table = BTreeMap<String, (String, String, BTreeSet<String>)>;

/// The rows of the table in the docs: `| name | kind | unit | labels | … |`.
fn documented() -> Table {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap();
    let rows =
        text.lines().filter(|it| it.starts_with("| `")).map(|it| it.split('|').map(str::trim).collect::<Vec<_>>());
    let ticked = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    rows.filter(|it| ["counter", "gauge", "histogram"].contains(&it[2]))
        .map(|it| (ticked(it[1]).pop_first().unwrap(), (it[2].to_owned(), it[3].to_owned(), ticked(it[4]))))
        .collect()
}

async fn ask(router: &Router, method: &str, path: &str) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap();
}

/// One test: there is one recorder in a process.
#[tokio::test]
async fn what_is_emitted_is_what_the_table_says() {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).unwrap_or_else(|_| panic!("there is one already"));
    let app =
        App::builder().definitions([measured::definition(), hourly::definition()]).slots(3).start().await.unwrap();
    for _ in 0..3 {
        app.submit(measured { fails: false }).await.unwrap().result().await.unwrap();
    }
    assert!(app.submit(measured { fails: true }).await.unwrap().result().await.is_err());
    let later = app.submit(measured { fails: false }).delay("1h").await.unwrap();
    let api = Api::new(&app, Access::open());
    let own = axum::routing::get(async || "none");
    let router: Router = Router::new().route("/orders/{number}", own).nest("/api/v1", api.routes()).layer(api.layer());
    for number in 0..50 {
        ask(&router, "GET", &format!("/api/v1/tasks/{number}-canary-5e5e?q={number}")).await;
        ask(&router, "GET", &format!("/api/v1/nowhere/{number}")).await;
        ask(&router, "GET", &format!("/orders/{number}-canary-5e5e")).await;
        ask(&router, &format!("M{number}"), "/api/v1/tasks").await;
    }
    ask(&router, "GET", "/api/v1/health/ping").await;
    app.record_metrics().await.unwrap();
    app.record_metrics().await.unwrap();

    // The figures.
    let of = [("ddd.task.name", "measured")];
    assert_eq!(kept.values("messaging.client.sent.messages", &of), [5.0]);
    assert_eq!(kept.values("messaging.client.consumed.messages", &of), [5.0]);
    // A schedule that is declared submits nothing; its run does.
    let sent = || kept.values("messaging.client.sent.messages", &[("ddd.task.name", "hourly")]).iter().sum::<f64>();
    assert_eq!(sent(), 0.0);
    app.tasks().schedules().run_now("hourly").await.unwrap().result().await.unwrap();
    assert_eq!(sent(), 1.0);
    let failed = [("ddd.task.name", "measured"), ("error.type", "error")];
    assert_eq!(kept.values("messaging.process.duration", &failed).len(), 2);
    assert_eq!(kept.values("messaging.process.duration", &of).len(), 5);
    assert_eq!(kept.values("ddd.task.wait.duration", &of).len(), 5);
    let ended = |status| kept.values("ddd.task.runs", &[("ddd.task.name", "measured"), ("ddd.task.status", status)]);
    assert_eq!((ended("success"), ended("failed")), (vec![3.0], vec![1.0]));
    let queued = [("ddd.queue.name", "default"), ("ddd.task.status", "delayed")];
    assert_eq!(kept.values("ddd.queue.tasks", &queued), [1.0]);
    assert_eq!(kept.values("ddd.worker.slots", &[]), [3.0]);
    assert_eq!(kept.values("ddd.worker.running", &[]), [0.0]);
    let cache =
        |event| kept.values("ddd.policy.events", &[("ddd.policy.name", "metered_cache"), ("ddd.policy.event", event)]);
    assert_eq!((cache("hits"), cache("misses")), (vec![2.0], vec![1.0]));
    let ping =
        [("http.request.method", "GET"), ("http.response.status_code", "200"), ("http.route", "/api/v1/health/ping")];
    assert_eq!(kept.values("http.server.request.duration", &ping).len(), 1);
    let own =
        [("http.request.method", "GET"), ("http.response.status_code", "200"), ("http.route", "/orders/{number}")];
    assert_eq!(kept.values("http.server.request.duration", &own).len(), 50);
    let odd = [("http.request.method", "_OTHER")];
    assert_eq!(kept.values("http.server.request.duration", &odd).len(), 50);
    assert!(kept.values("http.server.active_requests", &[]).iter().all(|it| *it == 0.0));

    // Queues that nobody named are one, and none keeps a figure that is gone.
    let mut gone = vec![later];
    for number in 0..3 {
        let task = app.submit(measured { fails: false }).queue(format!("queue-{number}-canary-5e5e")).delay("1h");
        gone.push(task.await.unwrap());
    }
    let other = [("ddd.queue.name", "_OTHER"), ("ddd.task.status", "delayed")];
    app.record_metrics().await.unwrap();
    assert_eq!(
        (kept.values("ddd.queue.tasks", &queued), kept.values("ddd.queue.tasks", &other)),
        (vec![1.0], vec![3.0])
    );
    for task in gone {
        app.tasks().cancel(task.id(), "it is no longer wanted").await.unwrap();
        app.tasks().delete(task.id()).await.unwrap();
    }
    app.record_metrics().await.unwrap();
    assert_eq!(
        (kept.values("ddd.queue.tasks", &queued), kept.values("ddd.queue.tasks", &other)),
        (vec![0.0], vec![0.0])
    );

    // What was emitted, and what is documented.
    let documented = documented();
    let (mut emitted, mut series) = (Table::new(), BTreeMap::<_, usize>::new());
    for (kind, name, labels) in kept.cells.lock().unwrap().keys() {
        let unit = match kept.described.lock().unwrap().get(name) {
            Some(Some(metrics::Unit::Seconds)) => "s",
            Some(_) => "1",
            None => panic!("{name} is not described"),
        };
        let row = emitted.entry(name.clone()).or_insert_with(|| ((*kind).to_owned(), unit.to_owned(), BTreeSet::new()));
        row.2.extend(labels.keys().cloned());
        *series.entry(name.clone()).or_default() += 1;
        // Bounded: nothing that a caller or a body wrote is a label.
        assert!(labels.values().all(|it| !it.contains("canary")), "{labels:?}");
    }
    assert_eq!(emitted, documented);
    assert!(series["http.server.request.duration"] <= 10, "{series:?}");
    assert_eq!(series["messaging.process.duration"], 3, "{series:?}");
    app.shutdown(Duration::from_secs(1)).await;
}
