//! Parameters marked `#[secret]` show nowhere.

use ddd_core::{
    App, Filter, Task, TaskContext, TaskId, Timestamp, assert_submitted,
    domain::{FailureKind, Name},
    ports::NewTask,
    task,
};

use crate::support::{record, virtual_app};

const CANARY: &str = "canary-7c1e9a";

#[task(unique(by = (token)), concurrency(limit = 1, key = token))]
async fn log_in(user: String, #[secret] token: String, #[inject] _context: TaskContext) -> Result<bool, String> {
    if user == "nobody" { Err("no such user".to_owned()) } else { Ok(token == CANARY) }
}

#[task(unique)]
async fn whole(#[secret] token: String, #[secret] pin: Option<u32>) {
    drop((token, pin));
}

fn secret(user: &str) -> log_in {
    log_in { user: user.to_owned(), token: CANARY.to_owned() }
}

/// All that can be seen of an application's tasks.
async fn seen(app: &App) -> String {
    let mut seen = format!("{app:?}\n{}", app.registry().export());
    let page = app.tasks().list(Filter::all(), None, 500).await.unwrap();
    let history = app.tasks().history(Filter::all(), None, 500).await.unwrap();
    for shown in page.items.iter().chain(&history.items) {
        let single = record(app, shown.id).await;
        seen += &format!("{shown:?} {single:?} {}\n", serde_json::to_string(shown).unwrap());
    }
    seen += &format!("{:?}", app.tasks().statistics().await.unwrap());
    seen
}

#[tokio::test(start_paused = true)]
async fn a_secret_reaches_the_body_and_nobody_else() {
    let app = virtual_app(&[log_in::definition(), whole::definition()]).build().await.unwrap();
    let mut transitions = app.tasks().transitions();
    assert_eq!(format!("{:?}", secret("ann")), "log_in { user: \"ann\", token: *** }");
    let submission = app.submit(secret("ann"));
    assert!(!format!("{submission:?}").contains(CANARY));
    let handle = submission.await.unwrap();
    assert!(app.submit(secret("bob")).await.unwrap().is_duplicate(), "the key itself is whole");
    app.submit(whole { token: CANARY.to_owned(), pin: Some(9_174_563) }).await.unwrap();
    let queued = seen(&app).await;
    app.start_workers().await.unwrap();
    assert!(handle.result().await.unwrap(), "the body is given the secret itself");
    assert!(app.submit(secret("nobody")).await.unwrap().result().await.is_err());
    assert_submitted!(app, log_in { token, .. } if token == CANARY);
    app.tasks().wait_idle().await.unwrap();
    let mut all = queued + &seen(&app).await + &format!("{handle:?}");
    while let Some(transition) = transitions.try_next().unwrap() {
        all += &format!("{transition:?} {}\n", serde_json::to_string(&transition).unwrap());
    }
    assert!(all.contains("***") && all.contains("ann"));
    for secret in [CANARY, "9174563"] {
        let place = all.find(secret).map(|at| &all[at.saturating_sub(200)..at + 20]);
        assert_eq!(place, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_fit_is_not_quoted() {
    let app = virtual_app(&[whole::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let params = serde_json::json!({ "token": "x", "pin": CANARY });
    let refused = app.submit_named("whole", &params).await.unwrap_err();
    assert!(format!("{refused:?}").contains("pin") && !format!("{refused:?}").contains(CANARY), "{refused:?}");
    let id = TaskId::from_parts(Timestamp::from_micros(1), 0, 1);
    let params = serde_json::value::to_raw_value(&params).unwrap();
    let stored = NewTask::new(id, Name::new("whole"), Name::new("default"), params.into());
    app.store().enqueue(vec![stored]).await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    let error = record(&app, id).await.last_error().unwrap().clone();
    assert_eq!(error.kind, FailureKind::Undecodable);
    assert!(error.message.contains("`pin`") && !error.message.contains(CANARY), "{}", error.message);
}
