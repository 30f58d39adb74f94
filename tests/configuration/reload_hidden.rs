//! What a reload does not see at first: other applications, secrets, panics.

use ddd_core::{PolicyKind, ReloadError, Secret, Task, testing};
use serde::Deserialize;

use crate::{
    reload::{builder, pack, refused, reloaded, setting, write},
    support::Folder,
};

/// Policies belong to the process: a reload in an application does not take away what another one overrides.
#[tokio::test(start_paused = true)]
async fn a_reload_leaves_the_overrides_of_another_application() {
    testing::isolated(async {
        let limit = |name| setting(name, PolicyKind::RateLimited, "limit");
        let first_text = |limit| format!("policies: {{reloaded_limit: {{rate_limited: {{limit: {limit}}}}}}}\n");
        let second_text = "policies: {reloaded_bare_limit: {rate_limited: {limit: 3}}}\n";
        let folders = [Folder::new().file("default.yaml", &first_text(9)), Folder::new()];
        let first = builder(&folders[0]).build().await.unwrap();
        let second = builder(&folders[1]).build().await.unwrap();
        let told = refused(&folders[1], &second, second_text).await;
        assert!(
            told.iter().any(|it| it.contains("`reloaded_limit` in another way than those of an application")),
            "{told:#?}"
        );
        assert_eq!((limit("reloaded_limit"), limit("reloaded_bare_limit")), (9.into(), 60.into()));
        // The second one wishes nothing, so the first one may change its mind.
        reloaded(&folders[0], &first, &first_text(8)).await;
        assert_eq!(limit("reloaded_limit"), 8);
        // Two that wish the same: neither may change it alone, and one of them may stop wishing it.
        reloaded(&folders[1], &second, &first_text(8)).await;
        refused(&folders[0], &first, &first_text(7)).await;
        reloaded(&folders[1], &second, "").await;
        assert_eq!(limit("reloaded_limit"), 8);
        reloaded(&folders[0], &first, &first_text(7)).await;
        assert_eq!(limit("reloaded_limit"), 7);
        // When nobody else wishes anything, the second one's hold.
        drop(first);
        reloaded(&folders[1], &second, second_text).await;
        assert_eq!((limit("reloaded_limit"), limit("reloaded_bare_limit")), (5.into(), 3.into()));
    })
    .await;
}

#[derive(Debug, serde::Deserialize, serde::Serialize, schemars::JsonSchema, garde::Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct Gate {
    #[schemars(with = "String")]
    key: Secret,
    #[schemars(with = "Vec<String>")]
    keys: Vec<Secret>,
    #[serde(deserialize_with = "not_13")]
    wide: u32,
}

impl Default for Gate {
    fn default() -> Self {
        Self { key: Secret::new("unset"), keys: Vec::new(), wide: 1 }
    }
}

fn not_13<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    assert_ne!(number, 13, "it is 13");
    Ok(number)
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_a_fixed_section_needs_a_restart() {
    let folder = Folder::new().file("default.yaml", "gate: {key: canary1, keys: [canary2, canary3]}\n");
    let configuration = folder.builder().fixed_section::<Gate>("gate").load().unwrap();
    let app = testing::builder().definitions([pack::definition()]).configuration(&configuration).build().await.unwrap();
    for (text, key) in [
        ("gate: {key: canary4, keys: [canary2, canary3]}\n", "gate.key"),
        ("gate: {key: canary1, keys: [canary2, canary5]}\n", "gate.keys"),
        ("gate: {keys: [canary2, canary3]}\n", "gate.key"),
        ("gate: {key: canary1}\n", "gate.keys"),
    ] {
        let told = refused(&folder, &app, text).await;
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
        assert!(told[0].contains(&format!("`{key}`")) && told[0].contains("restart"), "{text}: {told:#?}");
        assert!(!told[0].contains("canary"), "{told:#?}");
    }
    // What stands elsewhere, or is written in other words, is no change.
    let changed = reloaded(&folder, &app, "\n\ngate:\n  keys:\n  - canary2\n  - \"canary3\"\n  key: canary1\n").await;
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_section_is_told_as_one() {
    let folder = Folder::new();
    let configuration = folder.builder().section::<Gate>("gate").load().unwrap();
    let app = testing::builder().definitions([pack::definition()]).configuration(&configuration).build().await.unwrap();
    write(&folder, "tasks: {max_workers: 9}\ngate: {wide: 13}\n");
    let error = app.reload().await.unwrap_err();
    assert!(matches!(error, ReloadError::Panicked), "{error:?}");
    assert_eq!(app.configuration().unwrap().settings().slots, configuration.settings().slots);
    reloaded(&folder, &app, "gate: {wide: 14}\n").await;
}

/// What changed is told without secrets, also where a list or a group holds them.
#[tokio::test(start_paused = true)]
async fn secrets_that_change_are_told_of_and_not_shown() {
    let folder = Folder::new().file("default.yaml", "gate: {key: canary1, keys: [canary2]}\n");
    let configuration = folder.builder().section::<Gate>("gate").load().unwrap();
    let app = testing::builder().definitions([pack::definition()]).configuration(&configuration).build().await.unwrap();
    let changed = reloaded(&folder, &app, "gate: {key: canary3, keys: [canary2, canary4]}\n").await;
    assert_eq!(changed, ["gate.key: *** -> ***", "gate.keys: *** -> ***"]);
}
