use std::{
    io::{self, Write},
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::State, http::Request, routing::post};
use ddd_core::{
    App, Task as _, TaskContext, cached, task,
    telemetry::{LogFormat, Otlp, Telemetry},
};
use ddd_web::{Access, Api, ApiKey};
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::collector::{Collector, attribute, hex};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const STRANGE: &str = "0af7651916cd43dd8448eb211c80319c";
const OWN: &str = "7be2416919cd43dd8448eb211c80aa01";
const CANARY: &str = "canary-77aa10";

#[task(retry(max_attempts = 3, delay = "1ms"))]
async fn flaky(#[secret] token: String, #[inject] context: TaskContext, #[inject] app: App) -> Result<(), String> {
    tracing::info!(mark = "flaky", "attempt {}", context.attempt());
    if context.attempt() < 3 {
        return Err(format!("{token} was refused"));
    }
    app.submit(leaf {}).await.map_err(|it| it.to_string())?;
    Ok(())
}

#[task]
async fn leaf() {
    tracing::info!(mark = "leaf");
}

#[cached("1m", name = "exported_cache")]
async fn looked_up(id: u32) -> u32 {
    id
}

/// Many more labels than a metric has series of their own.
const LABELS: u32 = 2_500;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test, because there is one export in a process, and its end is a part of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_spans_the_request_its_task_two_retries_and_a_child() {
    let (collector, url) = Collector::start().await;
    let log = Log::default();
    let wrong = Telemetry::builder().otlp(Otlp::to(format!("https://ann:{CANARY}@collector"))).install().unwrap_err();
    assert!(wrong.to_string().contains("`http://`") && !wrong.to_string().contains(CANARY), "{wrong}");
    let export = Otlp::to(&url).header("x-key", CANARY).timeout(Duration::from_secs(5));
    assert!(!format!("{export:?}").contains(CANARY));
    let telemetry = Telemetry::builder()
        .format(LogFormat::Json)
        .to_writer(log.clone())
        .service("shop", "1.2.3")
        .environment("testing")
        .otlp(export)
        .install()
        .unwrap();
    let app = App::builder().definitions([flaky::definition(), leaf::definition()]).start().await.unwrap();
    let api = Api::new(&app, Access::open());
    let order = async |State(app): State<App>| drop(app.submit(leaf {}).await.unwrap());
    let router = Router::new().route("/orders", post(order)).nest("/api/v1", api.routes());
    let router: Router = router.layer(api.layer()).with_state(app.clone());
    let request = Request::post("/orders").header("traceparent", format!("00-{OWN}-{CALLER}-01"));
    assert_eq!(router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status(), 200);
    let body = format!(r#"{{"task_name":"flaky","params":{{"token":"{CANARY}"}}}}"#);
    let request = Request::post("/api/v1/tasks/submit")
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .header("x-request-id", "order-4711")
        .body(Body::from(body))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(status, 202, "{body:?}");
    // A sender whom nobody knows decides about no trace.
    let keys = Access::api_keys([ApiKey::new("ann", CANARY.repeat(2))]).unwrap();
    let guarded: Router = Router::new().nest("/api/v1", Api::new(&app, keys).routes());
    let request = Request::post("/api/v1/tasks/submit").header("traceparent", format!("00-{STRANGE}-{CALLER}-01"));
    assert_eq!(guarded.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status(), 401);
    app.tasks().wait_idle().await.unwrap();
    for _ in 0..4 {
        looked_up(1).await;
    }
    for _ in 0..2 {
        app.record_metrics().await.unwrap();
    }
    for id in (0..LABELS).chain(0..LABELS) {
        metrics::counter!("shop.orders", "id" => id.to_string()).increment(1);
        metrics::gauge!("shop.open", "id" => id.to_string()).increment(1.0);
    }
    for id in 0..LABELS {
        metrics::gauge!("shop.open", "id" => id.to_string()).decrement(2.0);
    }
    assert!(telemetry.flush(Duration::from_secs(10)).await);

    let spans = collector.trace(TRACE);
    let named = |name: &str| -> Vec<&Span> { spans.iter().filter(|it| it.name == name).collect() };
    let names: Vec<_> = spans.iter().map(|it| it.name.as_str()).collect();
    let [request] = named("POST /api/v1/tasks/submit")[..] else { panic!("{names:?}") };
    assert_eq!((hex(&request.parent_span_id).as_str(), request.kind), (CALLER, SpanKind::Server as i32));
    assert_eq!(attribute(&request.attributes, "http.response.status_code").as_deref(), Some("202"));
    let mut attempts = named("flaky");
    attempts.sort_by_key(|it| it.start_time_unix_nano);
    assert_eq!(attempts.len(), 3, "{names:?}");
    for (number, attempt) in attempts.iter().enumerate() {
        assert_eq!(attempt.parent_span_id, request.span_id, "{attempt:?}");
        assert_eq!(attempt.kind, SpanKind::Consumer as i32);
        assert_eq!(attribute(&attempt.attributes, "attempt"), Some((number + 1).to_string()));
        assert_eq!(attribute(&attempt.attributes, "request_id").as_deref(), Some("order-4711"));
        let failed = attempt.status.as_ref().is_some_and(|it| it.code == StatusCode::Error as i32);
        assert_eq!(failed, number < 2, "{attempt:?}");
    }
    assert!(attempts[0].status.as_ref().unwrap().message.contains("*** was refused"));
    let [child] = named("leaf")[..] else { panic!("{names:?}") };
    assert_eq!(child.parent_span_id, attempts[2].span_id, "{child:?}");
    assert_eq!(attribute(&child.attributes, "request_id").as_deref(), Some("order-4711"));

    // A route of the service's own.
    let spans = collector.trace(OWN);
    let [request] = spans.iter().filter(|it| it.name == "POST /orders").collect::<Vec<_>>()[..] else {
        panic!("{spans:?}")
    };
    assert_eq!(hex(&request.parent_span_id), CALLER);
    let [task] = spans.iter().filter(|it| it.name == "leaf").collect::<Vec<_>>()[..] else { panic!("{spans:?}") };
    assert_eq!(task.parent_span_id, request.span_id);

    assert!(collector.trace(STRANGE).is_empty());
    let status = |it: &Span| attribute(&it.attributes, "http.response.status_code");
    assert!(collector.spans.lock().unwrap().iter().any(|it| status(it).as_deref() == Some("401")));

    // What the log says is what the collector was told.
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let of: Vec<_> = lines.iter().filter(|it| it["mark"] == "flaky").collect();
    assert_eq!(of.len(), 3);
    for (line, span) in of.iter().zip(&attempts) {
        assert_eq!((&line["trace_id"], &line["span_id"]), (&TRACE.into(), &hex(&span.span_id).into()), "{line}");
        assert_eq!(line["request_id"], "order-4711", "{line}");
    }

    let resource = collector.resources.lock().unwrap()[0].clone();
    for (key, value) in
        [("service.name", "shop"), ("service.version", "1.2.3"), ("deployment.environment.name", "testing")]
    {
        assert_eq!(attribute(&resource.attributes, key).as_deref(), Some(value));
    }
    let metrics = collector.metrics.lock().unwrap().clone();
    for name in [
        "messaging.process.duration",
        "messaging.client.sent.messages",
        "http.server.request.duration",
        "ddd.worker.slots",
    ] {
        assert!(metrics.iter().any(|it| it.name == name), "{name}");
    }
    assert!(metrics.iter().any(|it| it.name == "messaging.process.duration" && it.unit == "s"));

    // Each use of a metric goes on from the one before.
    let cache = |event| {
        let labels = [("ddd.policy.name", "exported_cache"), ("ddd.policy.event", event)];
        collector.figures("ddd.policy.events", &labels)
    };
    assert_eq!((cache("hits"), cache("misses")), (vec![3.0], vec![1.0]));
    assert_eq!(collector.figures("http.server.active_requests", &[("http.request.method", "POST")]), [0.0]);
    let orders = collector.figures("shop.orders", &[]);
    assert!(orders.len() < LABELS as usize, "{}", orders.len());
    assert_eq!(orders.iter().sum::<f64>(), f64::from(2 * LABELS));
    assert_eq!(collector.figures("shop.orders", &[("id", "7")]), [2.0]);
    let open = collector.figures("shop.open", &[]);
    assert!(open.len() == orders.len() && open.iter().all(|it| *it == 0.0), "{open:?}");

    let told = format!("{spans:?} {metrics:?} {text} {telemetry:?}");
    assert!(!told.contains(CANARY), "the canary was told");
    assert!(collector.keys.lock().unwrap().iter().all(|it| it == CANARY) && !collector.keys.lock().unwrap().is_empty());

    // A collector that hangs holds nothing up: more than fits the queues runs as before, and the end comes in time.
    collector.hangs.store(true, Ordering::Release);
    let handles = app.submit_many((0..5_000).map(|_| leaf {})).await.unwrap();
    for handle in handles {
        handle.unwrap().result().await.unwrap();
    }
    let began = Instant::now();
    assert!(!telemetry.shutdown(Duration::from_millis(300)).await, "nobody took it");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    app.shutdown(Duration::from_secs(1)).await;
}
