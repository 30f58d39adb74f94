//! In which span a line is, wherever a body is when it logs.

use std::time::Duration;

use ddd_core::{App, Origin, TaskContext, current_trace, task};
use serde_json::json;
use tracing::Instrument as _;

use crate::support::{log, origin};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[task]
async fn wander(
    #[inject] context: TaskContext,
    #[inject] app: App,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    tracing::info!(place = "before");
    tokio::time::sleep(Duration::from_millis(1)).await;
    tracing::info!(place = "after a wait");
    let spawned = async { tracing::info!(place = "a task of the runtime") }.instrument(tracing::Span::current());
    tokio::spawn(spawned).await?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    context.spawn(async move {
        tokio::task::yield_now().await;
        tracing::info!(place = "a child");
        let _ = sender.send(());
    });
    receiver.await?;
    let inner = tracing::info_span!("inner", place = "not this one");
    async { tracing::info!(place = "an instrumented future") }.instrument(inner).await;
    let trace = current_trace().map(|it| it.to_string());
    app.submit(follow {}).await?.result().await?;
    app.execute(run_here {}).await?;
    tracing::info!(place = "the end");
    Ok(trace.unwrap_or_default())
}

#[task]
async fn follow() {
    tracing::info!(place = "a task that it submitted");
}

#[task]
async fn run_here() {
    tracing::info!(place = "a task that it executed");
}

#[task]
async fn spawn_only() {
    // Nothing was logged before: whoever asks for the span has it made.
    let spawned = async { tracing::info!(place = "spawned by a silent one") }.instrument(tracing::Span::current());
    tokio::spawn(spawned).await.unwrap();
}

fn app() -> ddd_core::AppBuilder {
    use ddd_core::Task as _;
    App::builder().definitions([
        wander::definition(),
        follow::definition(),
        run_here::definition(),
        spawn_only::definition(),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ids_follow_a_body_wherever_it_goes() {
    let (_, log) = log();
    let app = app().start().await.unwrap();
    let handle = app.submit(wander {}).origin(origin("wanderer", Some(TRACE))).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), TRACE);
    let lines = log.where_(|it| it["request_id"] == "wanderer" && it["place"].is_string());
    let places: Vec<_> = lines.iter().map(|it| it["place"].as_str().unwrap()).collect();
    let wanted = [
        "before",
        "after a wait",
        "a task of the runtime",
        "a child",
        "an instrumented future",
        "a task that it submitted",
        "a task that it executed",
        "the end",
    ];
    assert_eq!(places, wanted);
    for line in &lines {
        let name = match line["place"].as_str().unwrap() {
            "a task that it submitted" => "follow",
            "a task that it executed" => "run_here",
            _ => "wander",
        };
        assert_eq!(line["task_name"], name, "{line}");
        assert_eq!(line["task_id"] == json!(handle.id().to_string()), name == "wander", "{line}");
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c", "{line}");
    }
    app.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_body_that_logs_nothing_itself_gives_its_span_away() {
    let (_, log) = log();
    let app = app().start().await.unwrap();
    let handle = app.submit(spawn_only {}).origin(origin("silent", None)).await.unwrap();
    handle.result().await.unwrap();
    let lines = log.where_(|it| it["request_id"] == "silent");
    assert_eq!((lines.len(), lines[0]["place"].as_str()), (1, Some("spawned by a silent one")), "{lines:?}");
    assert_eq!(lines[0]["task_id"], handle.id().to_string());
    // What is logged outside of bodies has no ids of one.
    tracing::info!(place = "outside of all bodies");
    let outside = log.where_(|it| it["place"] == "outside of all bodies");
    assert!(outside[0].get("task_id").is_none() && outside[0].get("request_id").is_none(), "{outside:?}");
    app.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_failure_is_a_line_with_the_ids_of_its_task() {
    use ddd_core::Task as _;
    let (_, log) = log();
    let app = App::builder().definitions([fail::definition()]).start().await.unwrap();
    let handle = app.submit(fail {}).origin(Origin::default()).await.unwrap();
    assert!(handle.result().await.is_err());
    let id = handle.id().to_string();
    let ended = || log.where_(|it| it["task_id"] == *id && it["message"] == "task ended as failed");
    while ended().is_empty() {
        tokio::task::yield_now().await;
    }
    let line = &ended()[0];
    assert_eq!(
        (&line["level"], &line["task_name"], &line["error"]),
        (&json!("WARN"), &json!("fail"), &json!("no luck"))
    );
    app.shutdown(Duration::from_secs(1)).await;
}

#[task]
async fn fail() -> Result<(), String> {
    Err("no luck".to_owned())
}
