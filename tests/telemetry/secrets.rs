//! A canary that is put wherever secrets are shows in no line.

use std::time::Duration;

use ddd_core::{App, Configuration, Task as _, task};
use serde_json::json;

use crate::support::{log, origin};

const CANARY: &str = "canary-3f9d0c";

#[task(unique(by = (token)))]
async fn log_in(user: String, #[secret] token: String) -> Result<usize, String> {
    tracing::info!(mark = "in the body", user);
    match user.as_str() {
        "fails" => Err(format!("{user} may not: {token} is no good")),
        _ => Ok(token.len()),
    }
}

#[derive(Debug, serde::Deserialize, garde::Validate)]
#[allow(dead_code, reason = "only its `Debug` is looked at")]
struct Mail {
    #[garde(skip)]
    api_key: ddd_core::Secret,
}

#[tokio::test]
async fn no_line_says_the_canary() {
    let (_, log) = log();
    let configuration = Configuration::builder()
        .environment([
            ("DDD__STORE__URL", format!("memory://ann:{CANARY}@localhost/0")),
            ("DDD__MAIL__API_KEY", CANARY.to_owned()),
        ])
        .without_dotenv()
        .section::<Mail>("mail")
        .load();
    let told = match &configuration {
        Ok(it) => format!("{} {:?} {:?}", it.explain(), it.explain(), it.section::<Mail>()),
        Err(it) => format!("{it} {it:?}"),
    };
    assert!(!told.contains(CANARY), "{told}");
    tracing::info!(mark = "told", told);
    let app = App::builder().definitions([log_in::definition()]).start().await.unwrap();
    for user in ["works", "fails"] {
        let task = log_in { user: user.to_owned(), token: format!("{CANARY}-{user}") };
        tracing::info!(mark = "submitting", ?task);
        let handle = app.submit(task).origin(origin("canary", None)).await.unwrap();
        let result = handle.result().await;
        assert_eq!(result.is_ok(), user == "works");
        tracing::info!(mark = "record", record = ?handle.record().await.unwrap(), ?result);
    }
    let wrong = app.submit_named("log_in", json!({ "user": 1, "token": CANARY })).await.unwrap_err();
    tracing::warn!(mark = "refused", error = &wrong as &dyn std::error::Error, ?wrong);
    app.shutdown(Duration::from_secs(1)).await;
    let text = log.text();
    assert!(text.contains("\"mark\":\"refused\"") && text.contains("may not: ***"), "{text}");
    let found = text.lines().find(|it| it.contains(CANARY));
    assert_eq!(found, None);
}
