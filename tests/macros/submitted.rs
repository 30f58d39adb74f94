//! What `assert_submitted!` says when it finds nothing.

use ddd_core::{App, Task as _, assert_submitted, task};

#[task]
async fn greet(name: String, #[secret] token: String) {
    drop((name, token));
}

async fn complaint(app: &App) -> String {
    let app = app.clone();
    let asserted = tokio::spawn(async move { assert_submitted!(app, greet { name, .. } if name == "nobody") });
    let panic = asserted.await.unwrap_err().into_panic();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn a_failed_assertion_lists_what_was_submitted_and_hides_secrets() {
    let app = App::builder().definitions([greet::definition()]).build().await.unwrap();
    assert!(complaint(&app).await.contains("no `greet` was submitted at all"));
    for index in 0..12 {
        app.submit(greet { name: format!("user{index:02}"), token: "hush".to_owned() }).await.unwrap();
    }
    let complaint = complaint(&app).await;
    assert!(complaint.contains(r#"name: "user00", token: ***"#), "{complaint}");
    assert!(complaint.contains("user09") && !complaint.contains("user10"), "{complaint}");
    assert!(complaint.ends_with("and 2 more") && !complaint.contains("hush"), "{complaint}");
}

#[tokio::test]
async fn a_builder_starts_the_workers_too() {
    let app = App::builder().definitions([greet::definition()]).start().await.unwrap();
    let handle = app.submit(greet { name: "ann".to_owned(), token: String::new() }).await.unwrap();
    handle.result().await.unwrap();
    app.shutdown(std::time::Duration::from_secs(5)).await;
}
