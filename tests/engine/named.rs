//! Submission by name, and what a submission refuses.

use std::{error::Error, time::Duration};

use ddd_core::{App, QueueSettings, SubmitError, Task, TaskStatus, task};
use serde_json::json;

use crate::support::virtual_app;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Line {
    article: String,
    count: u32,
}

#[task]
async fn place_order(lines: Vec<Line>) -> Result<u32, String> {
    Ok(lines.iter().map(|it| it.count).sum())
}

#[task]
async fn nothing() {}

async fn app() -> App {
    virtual_app(&[place_order::definition(), nothing::definition()]).build().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_task_is_submitted_by_its_name() {
    let app = app().await;
    app.start_workers().await.unwrap();
    let order = json!({ "lines": [{ "article": "tea", "count": 3 }, { "article": "cup", "count": 4 }] });
    let handle = app.submit_named("place_order", order).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), json!(7));
    assert_eq!(app.submit_named("nothing", json!(null)).await.unwrap().result().await.unwrap(), json!(null));
    assert_eq!(app.submit_named("nothing", ()).await.unwrap().result().await.unwrap(), json!(null));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_name_is_refused_with_the_one_that_was_meant() {
    let app = app().await;
    let error = app.submit_named("place_oder", json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no task `place_oder`; did you mean `place_order`?");
    let error = app.submit_named("zzz", json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no task `zzz`");
}

#[tokio::test(start_paused = true)]
async fn parameters_that_do_not_fit_are_refused_with_their_path() {
    let app = app().await;
    for (params, path, text) in [
        (
            json!({ "lines": [{ "article": "tea", "count": 3 }, { "article": "cup", "count": -1 }] }),
            "lines[1].count",
            "-1",
        ),
        (json!({ "lines": [{ "article": "tea" }] }), "lines[0]", "count"),
        (json!({ "lines": [], "colour": "red" }), "colour", "unknown field `colour`"),
        (json!({}), "", "missing field `lines`"),
        (json!([]), "", ""),
        (json!("text"), "", ""),
    ] {
        let error = app.submit_named("place_order", params.clone()).await.unwrap_err();
        let SubmitError::InvalidParams { source, .. } = &error else { panic!("{params}: {error}") };
        assert_eq!(source.path, path, "{params}: {source}");
        assert!(source.message.contains(text), "{params}: {source}");
        // Whoever prints the chain is told it once, and so is who returns the error from `main`.
        let reason = error.source().unwrap().to_string();
        assert!(!error.to_string().contains(&reason), "{error}");
        assert_eq!(format!("{error:?}"), format!("{error}: {reason}"));
    }
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 0);
}

#[tokio::test(start_paused = true)]
async fn options_out_of_range_are_refused() {
    let app = app().await;
    for error in [
        app.submit(nothing {}).timeout(Duration::ZERO).await.err(),
        app.submit(nothing {}).max_attempts(0).await.err(),
        app.submit(nothing {}).queue("no spaces").await.err(),
    ] {
        assert!(matches!(error, Some(SubmitError::InvalidOption(_))), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_a_hint_and_what_is_accepted_runs() {
    let builder = virtual_app(&[nothing::definition()]).queue("default", QueueSettings::new().max_depth(50));
    let app = builder.slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut accepted = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        for number in 0..40 {
            let delay = Duration::from_secs(number % 2);
            match app.submit(nothing {}).delay(delay).await {
                Ok(handle) => accepted.push(handle),
                Err(SubmitError::QueueFull { queue, retry_after, .. }) => {
                    assert!(queue == "default" && retry_after >= Duration::from_secs(1), "{retry_after:?}");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(refused > 0 && accepted.len() > 100, "{} accepted, {refused} refused", accepted.len());
    for handle in &accepted {
        handle.result().await.unwrap();
    }
    let statistics = app.tasks().statistics().await.unwrap();
    let count = u64::try_from(accepted.len()).unwrap();
    assert_eq!((statistics.submitted, statistics.finished.get(TaskStatus::Success)), (count, count));
    let many = app.submit_many((0..60).map(|_| nothing {})).await.unwrap();
    assert_eq!(many.iter().filter(|it| it.is_ok()).count(), 50, "each of many is answered for itself");
}
