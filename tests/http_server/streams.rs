//! Streams of transitions.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use ddd_core::{App, Filter, Operation, Origin, Task, TaskContext, TaskId, task};
use ddd_web::{Access, Api, ApiKey, Permission};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    events::{Event, after, open, told},
    support::{Running, serving_for, soon},
};

/// Reports what it is told to, as far as the gate lets it.
#[task]
async fn steps(count: u32, #[inject] gate: Gate, #[inject] context: TaskContext) -> Result<u32, std::io::Error> {
    for step in 1..=count {
        gate.pass().await;
        context.progress(f64::from(step) / f64::from(count), format!("step {step}"));
    }
    gate.pass().await;
    Ok(count)
}

#[task(queue = "other")]
async fn quick() {}

#[task]
async fn fails() -> Result<(), String> {
    Err("on purpose".to_owned())
}

/// Lets bodies go on, step by step.
#[derive(Clone)]
struct Gate(Arc<Semaphore>);

impl Gate {
    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }

    fn open(&self, steps: usize) {
        self.0.add_permits(steps);
    }
}

const ANN: &str = "authorization: Bearer the-key-of-ann-0123\r\n";
const OPS: &str = "authorization: Bearer the-key-of-ops-0123\r\n";

struct Service {
    server: Running,
    app: App,
    gate: Gate,
}

impl Service {
    async fn start() -> Self {
        let gate = Gate(Arc::new(Semaphore::new(0)));
        let definitions = [steps::definition(), quick::definition(), fails::definition()];
        let app = App::builder().definitions(definitions).provide(gate.clone()).start().await.unwrap();
        let keys = [
            ApiKey::new("ann", "the-key-of-ann-0123").allow(Permission::Read),
            ApiKey::new("ops", "the-key-of-ops-0123").allow(Permission::Observe),
        ];
        let api = Api::new(&app, Access::api_keys(keys).unwrap());
        let router: Router = Router::new().nest("/api/v1", api.routes());
        let server = serving_for(&app, |_| router, |it| it.shutdown_timeout(Duration::from_secs(5))).await;
        Self { server, app, gate }
    }

    async fn submit(&self, task: impl Task, owner: &str) -> TaskId {
        let mut origin = Origin::default();
        origin.owner = Some(owner.to_owned());
        self.app.submit(task).origin(origin).await.unwrap().id()
    }

    async fn wait(&self, id: TaskId) {
        let _ = soon(self.app.tasks().handle::<serde_json::Value>(id).result()).await;
    }

    async fn end(self) {
        self.server.end().await;
    }
}

fn of(id: TaskId) -> String {
    format!("/api/v1/tasks/{id}/stream")
}

const ALL: &str = "/api/v1/tasks/stream";

#[tokio::test]
async fn a_tasks_stream_tells_its_life_and_ends_with_it() {
    let service = Service::start().await;
    let id = service.submit(steps { count: 2 }, "ann").await;
    let mut stream = open(&service.server, &of(id), &format!("{ANN}accept-encoding: gzip\r\n")).await;
    assert_eq!(stream.status, 200, "{}", stream.head);
    assert!(!stream.head.contains("content-encoding"), "compressed, events would wait for others: {}", stream.head);
    for line in ["content-type: text/event-stream\n", "cache-control: no-store\n", "x-accel-buffering: no\n"] {
        assert!(stream.head.contains(line), "{}", stream.head);
    }
    let snapshot = stream.one().await;
    assert_eq!((snapshot.kind.as_str(), stream.retry.as_str()), ("snapshot", "1000"));
    assert_eq!(snapshot.data["task_id"], json!(id));
    let mut steps = Vec::new();
    for step in 1..=2 {
        service.gate.open(1);
        loop {
            let event = stream.one().await;
            if event.kind == "progress" {
                assert_eq!(event.data["progress"]["message"], format!("step {step}"));
                break;
            }
            steps.push(event);
        }
    }
    // It may have been running before it was looked at.
    assert!(told(&steps).iter().all(|it| *it == ("transition", "running")) && steps.len() < 2, "{steps:?}");
    service.gate.open(1);
    let rest = stream.all().await;
    assert_eq!(told(&rest), [("transition", "success"), ("end", "success")]);
    assert_eq!(rest[0].data["from"], "running");
    assert_eq!(rest[1].data["result"], 2);
    service.end().await;
}

#[tokio::test]
async fn a_task_that_has_ended_is_told_once() {
    let service = Service::start().await;
    let id = service.submit(fails {}, "ann").await;
    service.wait(id).await;
    let mut stream = open(&service.server, &of(id), ANN).await;
    let events = stream.all().await;
    assert_eq!(told(&events), [("end", "failed")]);
    // A browser comes again by itself, and is told not to.
    let again = open(&service.server, &of(id), &format!("{ANN}{}", after(&events[0]))).await;
    assert_eq!(again.status, 204);
    service.end().await;
}

#[tokio::test]
async fn a_tasks_stream_goes_on_where_it_was_lost() {
    let service = Service::start().await;
    let id = service.submit(steps { count: 3 }, "ann").await;
    let mut stream = open(&service.server, &of(id), ANN).await;
    service.gate.open(1);
    let first = loop {
        let event = stream.one().await;
        if event.kind == "progress" {
            break event;
        }
    };
    drop(stream);
    service.gate.open(3);
    service.wait(id).await;
    let mut stream = open(&service.server, &of(id), &format!("{ANN}{}", after(&first))).await;
    let rest = stream.all().await;
    // Progress that follows quickly may be told as one.
    let kinds: Vec<_> = told(&rest).into_iter().filter(|it| it.0 != "progress").collect();
    assert_eq!(kinds, [("transition", "success"), ("end", "success")], "{rest:?}");
    let progress: Vec<_> = rest.iter().filter(|it| it.kind == "progress").collect();
    assert!(progress.iter().all(|it| it.data["progress"]["message"] != "step 1"), "{progress:?}");
    service.end().await;
}

#[tokio::test]
async fn the_stream_of_all_tells_what_is_asked_for() {
    let service = Service::start().await;
    let mut everything = open(&service.server, ALL, OPS).await;
    let mut others = open(&service.server, &format!("{ALL}?queue=other"), OPS).await;
    let mut failed = open(&service.server, &format!("{ALL}?task_name=fails&status=failed,timeout"), OPS).await;
    for stream in [&mut everything, &mut others, &mut failed] {
        assert_eq!(stream.one().await.kind, "open");
    }
    let id = service.submit(fails {}, "ann").await;
    service.wait(id).await;
    service.submit(quick {}, "bob").await;
    for (name, status) in [("fails", "pending"), ("fails", "running"), ("fails", "failed"), ("quick", "pending")] {
        let event = everything.one().await;
        assert_eq!((event.data["task_name"].as_str().unwrap(), event.status()), (name, status));
    }
    let event = others.one().await;
    assert_eq!((&event.data["task_name"], event.status()), (&json!("quick"), "pending"));
    assert_eq!(event.data["from"], json!(null));
    let event = failed.one().await;
    assert_eq!((&event.data["task_id"], event.status()), (&json!(id), "failed"));
    service.end().await;
}

#[tokio::test]
async fn a_caller_sees_the_tasks_that_are_its_own() {
    let service = Service::start().await;
    let mut anns = open(&service.server, ALL, ANN).await;
    assert_eq!(anns.one().await.kind, "open");
    let bobs = service.submit(quick {}, "bob").await;
    service.wait(bobs).await;
    let own = service.submit(quick {}, "ann").await;
    for status in ["pending", "running", "success"] {
        let event = anns.one().await;
        assert_eq!((&event.data["task_id"], event.status()), (&json!(own), status));
    }
    let foreign = open(&service.server, &of(bobs), ANN).await;
    let unknown = open(&service.server, "/api/v1/tasks/00000000-0000-7000-8000-000000000000/stream", ANN).await;
    assert_eq!((foreign.status, unknown.status), (404, 404));
    let nobody = open(&service.server, ALL, "").await;
    assert_eq!(nobody.status, 401);
    service.end().await;
}

#[tokio::test]
async fn the_stream_of_all_goes_on_where_it_was_lost_or_says_that_it_cannot() {
    let service = Service::start().await;
    let mut stream = open(&service.server, ALL, OPS).await;
    let opened = stream.one().await;
    let id = service.submit(quick {}, "ann").await;
    let first = stream.one().await;
    assert_eq!(first.status(), "pending");
    drop(stream);
    service.wait(id).await;
    let mut stream = open(&service.server, ALL, &format!("{OPS}{}", after(&first))).await;
    assert_eq!((stream.one().await.status(), stream.one().await.status()), ("running", "success"));
    let mut stream = open(&service.server, ALL, &format!("{OPS}{}", after(&opened))).await;
    assert_eq!(stream.one().await, first, "the same event has the same id");
    let (epoch, number) = first.id.split_once('-').unwrap();
    let ahead = format!("{epoch}-{}", number.parse::<u64>().unwrap() + 1_000);
    for unknown in [&ahead, "1-1", "nonsense", "ffffffffffffffff-18446744073709551615", "-"] {
        let mut stream = open(&service.server, ALL, &format!("{OPS}last-event-id: {unknown}\r\n")).await;
        assert_eq!(stream.one().await.kind, "reset", "{unknown}");
    }
    service.end().await;
}

#[tokio::test]
async fn what_a_query_does_not_know_is_a_problem() {
    let service = Service::start().await;
    for query in ["?status=over", "?colour=red", "?queue=%20", "?task_name="] {
        let mut stream = open(&service.server, &format!("{ALL}{query}"), OPS).await;
        assert_eq!(stream.status, 400, "{query}");
        assert!(stream.head.contains("application/problem+json"), "{}", stream.head);
        drop(stream.next());
    }
    service.end().await;
}

#[tokio::test]
async fn there_is_room_for_a_hundred() {
    let service = Service::start().await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut stream = open(&service.server, ALL, OPS).await;
        assert_eq!(stream.one().await.kind, "open");
        streams.push(stream);
    }
    let full = open(&service.server, ALL, OPS).await;
    assert_eq!(full.status, 503);
    assert!(full.head.contains("retry-after: 5\n"), "{}", full.head);
    streams.truncate(90);
    let again = soon(async {
        loop {
            let mut stream = open(&service.server, ALL, OPS).await;
            if stream.status == 200 {
                break stream.one().await;
            }
        }
    });
    assert_eq!(again.await.kind, "open");
    service.end().await;
}

#[tokio::test]
async fn the_end_of_the_server_ends_all_streams_with_a_word() {
    let mut service = Service::start().await;
    let id = service.submit(steps { count: 1 }, "ann").await;
    let mut streams = Vec::new();
    for number in 0..50 {
        let path = if number % 2 == 0 { ALL.to_owned() } else { of(id) };
        let mut stream = open(&service.server, &path, OPS).await;
        stream.one().await;
        streams.push(stream);
    }
    // So that the task is no reason to wait.
    service.app.tasks().bulk(Filter::all(), Operation::Cancel).await.unwrap();
    service.wait(id).await;
    let mut last = open(&service.server, ALL, OPS).await;
    last.one().await;
    let began = Instant::now();
    service.server.tell();
    let events = last.all().await;
    assert_eq!(events.last().map(|it| it.kind.as_str()), Some("reconnect"), "{events:?}");
    assert_eq!(events.last().unwrap().data["reason"], "shutting_down");
    for mut stream in streams {
        let events: Vec<Event> = stream.all().await;
        assert!(matches!(events.last().unwrap().kind.as_str(), "reconnect" | "end"), "{events:?}");
    }
    service.end().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
