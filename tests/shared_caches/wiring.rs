//! What an application asks of a program with shared caches.

use ddd_core::{App, BuildError, PolicyKind, testing::IsolatedPolicies};

use crate::support::{PROFILES, Process, Profile, store};

#[tokio::test]
async fn without_a_store_it_does_not_start() {
    let refused = App::builder().submit_only().build().await;
    let Err(BuildError::Wiring(problems)) = refused else { panic!("{refused:?}") };
    let of_profile: Vec<_> = problems.iter().filter(|it| it.contains("`profile`")).collect();
    let [problem] = *of_profile else { panic!("{problems:?}") };
    for part in ["`#[cached]`", "support.rs:", "its scope is shared", ".cache_store(…)"] {
        assert!(problem.contains(part), "{part} in {problem}");
    }
}

#[tokio::test]
async fn the_scope_does_not_change_while_the_program_runs() {
    Process::over(store())
        .await
        .run(async {
            let change = serde_json::json!({ "scope": "local" });
            let refused =
                ddd_core::policies().change("profile", PolicyKind::Cached, change.as_object().unwrap()).unwrap_err();
            assert!(refused.to_string().contains("scope"), "{refused}");
        })
        .await;
}

/// A function is called before there is an application, and goes on with its store.
#[tokio::test(start_paused = true)]
async fn a_store_that_comes_later_counts_from_then_on() {
    let source = crate::support::Source::new(0);
    let (store, process) = (store(), IsolatedPolicies::start());
    process.scope(crate::support::lent(1, &source)).await;
    process.scope(PROFILES.put(1, Ok(Profile { id: 1, value: 7 }))).await;
    let app = App::builder().cache_store(std::sync::Arc::new(store.clone())).submit_only().build();
    drop(process.scope(app).await.unwrap());
    process.scope(crate::support::lent(2, &source)).await;
    assert_eq!(store.len(), 1);
}
