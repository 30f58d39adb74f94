//! One trace over processes: who submits, and who works, share nothing but a store.

use std::{path::Path, process::Command, time::Duration};

use ddd_core::{
    App, AppBuilder, Task as _, TaskContext, task,
    telemetry::{Otlp, Telemetry},
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tracing::Instrument as _;

use crate::collector::{Collector, attribute, hex};

#[task(retry(max_attempts = 2, delay = "1ms"))]
async fn charge(#[inject] context: TaskContext, #[inject] app: App) -> Result<(), String> {
    if context.attempt() < 2 {
        return Err("the bank is closed".to_owned());
    }
    app.submit(receipt {}).await.map_err(|it| it.to_string())?;
    Ok(())
}

#[task]
async fn receipt() {}

fn builder(file: &str) -> AppBuilder {
    App::builder().store_url(format!("sqlite:{file}")).definitions([charge::definition(), receipt::definition()])
}

/// What the test below starts: a process of its own, with an export of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the test beside it, in another process"]
async fn part() {
    let [Ok(role), Ok(file), Ok(collector)] =
        ["ROLE", "FILE", "COLLECTOR"].map(|it| std::env::var(format!("DDD_TEST_{it}")))
    else {
        return;
    };
    let telemetry = Telemetry::builder().service(&role, "1").otlp(Otlp::to(collector)).install().unwrap();
    if role == "submitter" {
        let app = builder(&file).submit_only().build().await.unwrap();
        let order = tracing::error_span!("order");
        async { app.submit(charge {}).await.unwrap() }.instrument(order).await;
    } else {
        let app = builder(&file).start().await.unwrap();
        app.tasks().wait_idle().await.unwrap();
        app.shutdown(Duration::from_secs(5)).await;
    }
    assert!(telemetry.shutdown(Duration::from_secs(10)).await);
}

async fn run(role: &str, file: &Path, collector: &str) {
    let mut part = Command::new(std::env::current_exe().unwrap());
    part.args(["processes::part", "--exact", "--ignored", "--nocapture"]);
    part.env("DDD_TEST_ROLE", role).env("DDD_TEST_FILE", file).env("DDD_TEST_COLLECTOR", collector);
    let output = tokio::task::spawn_blocking(move || part.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_spans_who_submits_who_works_a_retry_there_and_a_child() {
    let (collector, url) = Collector::start().await;
    let folder = std::env::temp_dir().join(format!("ddd-trace-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("tasks.db");
    run("submitter", &file, &url).await;
    run("worker", &file, &url).await;
    drop(std::fs::remove_dir_all(&folder));

    let orders: Vec<_> = collector.spans.lock().unwrap().iter().filter(|it| it.name == "order").cloned().collect();
    let [order] = &orders[..] else { panic!("{orders:?}") };
    let spans = collector.trace(&hex(&order.trace_id));
    let named = |name: &str| -> Vec<&Span> { spans.iter().filter(|it| it.name == name).collect() };
    let mut attempts = named("charge");
    attempts.sort_by_key(|it| it.start_time_unix_nano);
    let numbers: Vec<_> = attempts.iter().filter_map(|it| attribute(&it.attributes, "attempt")).collect();
    assert_eq!(numbers, ["1", "2"], "{spans:?}");
    assert!(attempts.iter().all(|it| it.parent_span_id == order.span_id), "{spans:?}");
    let [child] = named("receipt")[..] else { panic!("{spans:?}") };
    assert_eq!(child.parent_span_id, attempts[1].span_id, "{child:?}");
    let services: Vec<_> =
        collector.resources.lock().unwrap().iter().filter_map(|it| attribute(&it.attributes, "service.name")).collect();
    assert!(["submitter", "worker"].iter().all(|it| services.iter().any(|told| told == it)), "{services:?}");
}
