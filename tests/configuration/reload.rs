//! Another configuration while the program runs: all of it, or nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    App, AppBuilder, PolicyKind, Refused, ReloadError, SubmitError, Task, cached, policies, rate_limited, retry, task,
    testing,
};

use crate::support::Folder;

/// Takes so long.
#[task(queue = "parcels")]
pub(crate) async fn pack(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[rate_limited(5, per = "1h", name = "reloaded_limit")]
async fn limited() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(name = "reloaded_bare_limit")]
async fn bare_limit() -> Result<(), Refused> {
    Ok(())
}

#[cached(name = "reloaded_bare_cache")]
async fn bare_cache(key: u64) -> u64 {
    key
}

#[cached("7m", name = "reloaded_cache")]
async fn stated_cache(key: u64) -> u64 {
    key
}

#[retry(name = "reloaded_bare_retry")]
async fn bare_retry() -> Result<(), std::io::Error> {
    Ok(())
}

pub(crate) fn builder(folder: &Folder) -> AppBuilder {
    let configuration = folder.builder().load().unwrap();
    testing::builder().definitions([pack::definition()]).configuration(&configuration)
}

pub(crate) fn write(folder: &Folder, text: &str) {
    std::fs::write(folder.path().join("default.yaml"), text).unwrap();
}

/// The problems of a reload that is refused.
pub(crate) async fn refused(folder: &Folder, app: &App, text: &str) -> Vec<String> {
    write(folder, text);
    match app.reload().await {
        Err(ReloadError::Refused(error)) => folder.told(&error),
        other => panic!("{text}: {other:?}"),
    }
}

pub(crate) async fn reloaded(folder: &Folder, app: &App, text: &str) -> Vec<String> {
    write(folder, text);
    let reloaded = app.reload().await.unwrap_or_else(|error| panic!("{text}: {error}"));
    reloaded.changed.into_iter().map(|it| format!("{}: {} -> {}", it.key, it.before, it.after)).collect()
}

pub(crate) fn setting(name: &str, kind: PolicyKind, setting: &str) -> serde_json::Value {
    let info = policies().get(name).unwrap().into_iter().find(|it| it.kind == kind).unwrap();
    info.effective[setting].clone()
}

#[tokio::test(start_paused = true)]
async fn what_tasks_override_and_default_to_changes() {
    let folder = Folder::new().file("default.yaml", "tasks: {timeout: 1m}\n");
    let app = builder(&folder).build().await.unwrap();
    let timeout = || app.registry().find("pack").unwrap().settings.timeout;
    assert_eq!(timeout(), Duration::from_secs(60));
    let changed = reloaded(&folder, &app, "tasks: {timeout: 2m}\n").await;
    assert_eq!(changed, ["tasks.timeout: 1m -> 2m"]);
    assert_eq!(timeout(), Duration::from_secs(120));
    let text = "tasks: {timeout: 2m, definitions: {pack: {timeout: 3m, priority: 4, retry: {max_attempts: 2}}}}\n";
    reloaded(&folder, &app, text).await;
    let record = app.submit(pack { millis: 0 }).await.unwrap().record().await.unwrap().unwrap();
    assert_eq!((record.timeout, record.priority.get(), record.max_attempts), (Duration::from_secs(180), 4, 2));
    // What is no longer said is as before.
    reloaded(&folder, &app, "").await;
    let record = app.submit(pack { millis: 0 }).await.unwrap().record().await.unwrap().unwrap();
    assert_eq!((record.timeout, record.priority.get(), record.max_attempts), (Duration::from_secs(300), 0, 1));
    assert_eq!(app.configuration().unwrap().settings().timeout, Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn slots_and_the_limits_of_queues_change_while_tasks_run() {
    let folder = Folder::new().file("default.yaml", "tasks: {max_workers: 2}\n");
    let app = builder(&folder).start().await.unwrap();
    for _ in 0..40 {
        app.submit(pack { millis: 1_000 }).await.unwrap();
    }
    let second = || tokio::time::sleep(Duration::from_millis(1_005));
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(app.running(), 2);
    reloaded(&folder, &app, "tasks: {max_workers: 8}\n").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(app.running(), 8);
    for (limits, most) in [("concurrency: 3", 3), ("concurrency_per_worker: 2", 2), ("concurrency: 5", 5)] {
        reloaded(&folder, &app, &format!("tasks: {{max_workers: 8}}\nqueues: {{parcels: {{{limits}}}}}\n")).await;
        second().await;
        assert_eq!(app.running(), most, "{limits}");
    }
    // A queue that is named no more has no limits.
    reloaded(&folder, &app, "tasks: {max_workers: 8}\n").await;
    second().await;
    assert_eq!(app.running(), 8);
    app.tasks().wait_idle().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn depth_and_rate_hold_from_the_moment_that_the_reload_returns() {
    let folder = Folder::new();
    let app = builder(&folder).build().await.unwrap();
    for _ in 0..10 {
        app.submit(pack { millis: 0 }).await.unwrap();
    }
    for depth in [12, 20, 13] {
        reloaded(&folder, &app, &format!("queues: {{parcels: {{max_depth: {depth}}}}}\n")).await;
        let full = loop {
            if let Err(error) = app.submit(pack { millis: 0 }).await {
                break error;
            }
        };
        assert!(matches!(full, SubmitError::QueueFull { .. }), "{full:?}");
        let waiting = app.tasks().statistics().await.unwrap().now.queued();
        assert_eq!(waiting, depth.max(if depth == 13 { 20 } else { 0 }));
    }
    reloaded(&folder, &app, "queues: {parcels: {rate_limit: {limit: 2, per: 1s}}}\n").await;
    app.start_workers().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(app.tasks().statistics().await.unwrap().now.queued(), 18);
    reloaded(&folder, &app, "queues: {parcels: {rate_limit: {limit: 5, per: 1s}}}\n").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    // The bucket held one when the rate became higher, and got two more; under the old rate it would have got none.
    assert_eq!(app.tasks().statistics().await.unwrap().now.queued(), 14);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_moved_to_a_new_queue_is_served_there() {
    let folder = Folder::new();
    let app = builder(&folder).start().await.unwrap();
    reloaded(&folder, &app, "tasks: {definitions: {pack: {queue: brand_new}}}\n").await;
    let handle = app.submit(pack { millis: 1 }).await.unwrap();
    assert_eq!(handle.record().await.unwrap().unwrap().queue, "brand_new");
    handle.result().await.unwrap();
    assert!(app.names_queue("brand_new"));
}

#[tokio::test(start_paused = true)]
async fn policies_change_and_go_back_to_what_their_attributes_say() {
    testing::isolated(async {
        let folder = Folder::new();
        let app = builder(&folder).build().await.unwrap();
        limited().await.unwrap();
        reloaded(&folder, &app, "policies: {reloaded_limit: {rate_limited: {limit: 2}}}\n").await;
        limited().await.unwrap();
        assert!(limited().await.is_err(), "the third call of two");
        reloaded(&folder, &app, "").await;
        for _ in 0..3 {
            limited().await.unwrap();
        }
        assert!(limited().await.is_err(), "the sixth call of five");
        assert_eq!(setting("reloaded_limit", PolicyKind::RateLimited, "limit"), 5);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn defaults_hold_where_attributes_say_nothing() {
    testing::isolated(async {
        let text = "policy_defaults:\n  cached: {ttl: 10m, capacity: 50}\n  rate_limited: {limit: 7, per: 1h, burst: 3}\n  \
                    retry: {max_attempts: 9, delay: 2s}\n";
        let folder = Folder::new().file("default.yaml", text);
        let app = builder(&folder).build().await.unwrap();
        assert_eq!(setting("reloaded_bare_cache", PolicyKind::Cached, "ttl"), "10m");
        assert_eq!(setting("reloaded_cache", PolicyKind::Cached, "ttl"), "7m", "the attribute beats defaults");
        assert_eq!(setting("reloaded_cache", PolicyKind::Cached, "capacity"), 50);
        assert_eq!(setting("reloaded_bare_limit", PolicyKind::RateLimited, "limit"), 7);
        assert_eq!(setting("reloaded_limit", PolicyKind::RateLimited, "limit"), 5);
        assert_eq!(setting("reloaded_bare_retry", PolicyKind::Retry, "max_attempts"), 9);
        assert_eq!(setting("reloaded_bare_retry", PolicyKind::Retry, "delay"), "2s");
        for _ in 0..7 {
            bare_limit().await.unwrap();
        }
        assert!(bare_limit().await.is_err(), "the eighth call of seven");
        bare_retry().await.unwrap();
        assert_eq!((bare_cache(1).await, stated_cache(2).await), (1, 2));
        reloaded(&folder, &app, "policy_defaults: {cached: {ttl: 20m}}\n").await;
        assert_eq!(setting("reloaded_bare_cache", PolicyKind::Cached, "ttl"), "20m");
        assert_eq!(setting("reloaded_bare_cache", PolicyKind::Cached, "capacity"), 10_000);
        assert_eq!(setting("reloaded_bare_limit", PolicyKind::RateLimited, "limit"), 60);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_restart_is_told_by_name_and_nothing_changes() {
    let before = "app: {name: shop}\ntasks: {lease: 20s, max_workers: 3}\nqueues: {parcels: {max_depth: 1}}\n";
    let folder = Folder::new().file("default.yaml", before);
    let app = builder(&folder).build().await.unwrap();
    let told = refused(
        &folder,
        &app,
        "app: {name: other}\nstore: {url: \"memory://\"}\nlog: {format: pretty}\ntasks:\n  lease: 40s\n  max_workers: 9\n  \
         priority_step: strict\nqueues: {parcels: {max_depth: 5}}\n",
    )
    .await;
    let needs = |key: &str| told.iter().filter(|it| it.contains(&format!("`{key}`")) && it.contains("restart")).count();
    for key in ["app.name", "store.url", "log.format", "tasks.lease", "tasks.priority_step"] {
        assert_eq!(needs(key), 1, "{key}: {told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
    assert!(told.contains(&"default.yaml:5: `tasks.lease`: it is `20s`, and to become `40s` it needs a restart; all else can change without".to_owned()), "{told:#?}");
    assert_eq!(app.configuration().unwrap().settings().slots, 3);
    app.submit(pack { millis: 0 }).await.unwrap();
    assert!(app.submit(pack { millis: 0 }).await.is_err(), "the depth is still 1");
    // The same in other words is no change.
    assert_eq!(reloaded(&folder, &app, &before.replace("20s", "20000ms")).await, ["tasks.lease: 20s -> 20000ms"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_told_with_its_place_and_nothing_changes() {
    testing::isolated(async {
        let before = "tasks: {max_workers: 3}\nqueues: {parcels: {max_depth: 1}}\n";
        let folder = Folder::new().file("default.yaml", before);
        let app = builder(&folder).build().await.unwrap();
        let explained = app.configuration().unwrap().explain();
        let cases = [
            ("tasks: {max_workers: lots}", vec!["default.yaml:1: `tasks.max_workers`: a text was found"]),
            (
                "queues:\n  parcels:\n    max_depth: 0\n    concurrency: 0",
                vec![
                    "default.yaml:3: `queues.parcels.max_depth`: queue `parcels`: `max_depth` is 0",
                    "default.yaml:4: `queues.parcels.concurrency`: queue `parcels`: `concurrency` is 0",
                ],
            ),
            (
                "tasks:\n  max_workers: 7\n  definitions:\n    pakc: {timeout: 1s}\n    pack:\n      concurrency: 3",
                vec![
                    "default.yaml:4: `tasks.definitions.pakc`: settings override a task `pakc`, which is not linked into this \
                     program; did you mean `pack`?",
                    "default.yaml:6: `tasks.definitions.pack.concurrency`: settings override `concurrency` of task `pack`",
                ],
            ),
            (
                "policies:\n  reloaded_limti:\n    rate_limited: {limit: 1}\n  reloaded_limit:\n    rate_limited:\n      \
                 limit: 0\n    cached: {ttl: 1m}",
                vec![
                    "default.yaml:3: `policies.reloaded_limti.rate_limited`: settings override policy `reloaded_limti.rate_limited`: \
                     there is no policy `reloaded_limti`; did you mean `reloaded_limit`?",
                    "default.yaml:7: `policies.reloaded_limit.cached`: ",
                    "default.yaml:5: `policies.reloaded_limit.rate_limited`: ",
                ],
            ),
            ("policies:\n  reloaded_limit:\n    rate_limited:\n      limti: 9", vec!["default.yaml:4: `policies.reloaded_limit.rate_limited.limti`: "]),
            ("policy_defaults:\n  cached: {ttl: 0}", vec!["default.yaml:2: `policy_defaults.cached"]),
            ("tasks:\n  timeout: 0", vec!["default.yaml:2: `tasks.timeout`: `timeout` is zero; write at least 1ms"]),
        ];
        for (text, expected) in cases {
            let told = refused(&folder, &app, &format!("{text}\n")).await;
            for part in expected {
                assert!(told.iter().any(|it| it.contains(part)), "{text}\n  told: {told:#?}\n  expected: {part}");
            }
            assert_eq!(app.configuration().unwrap().explain(), explained, "{text}");
            assert_eq!(setting("reloaded_limit", PolicyKind::RateLimited, "limit"), 5, "{text}");
            assert_eq!(app.registry().find("pack").unwrap().settings.timeout, Duration::from_secs(300), "{text}");
            let depth = app.tasks().queues().await.unwrap().into_iter().find(|it| it.name == "parcels").unwrap();
            assert_eq!(depth.settings.max_depth, Some(1), "{text}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn hooks_are_asked_first_and_told_last() {
    let folder = Folder::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let hook = seen.clone();
    let app = builder(&folder)
        .on_reload(|configuration| match configuration.settings().slots {
            13 => panic!("13"),
            _ => Ok::<_, String>(|| ()),
        })
        .on_reload(move |configuration| {
            let (slots, hook) = (configuration.settings().slots, hook.clone());
            if slots > 10 {
                return Err(format!("{slots} is more than 10"));
            }
            Ok(move || hook.store(slots, Ordering::Relaxed))
        })
        .build()
        .await
        .unwrap();
    let told = refused(&folder, &app, "tasks: {max_workers: 11}\n").await;
    assert_eq!(told, ["11 is more than 10"]);
    let told = refused(&folder, &app, "tasks: {max_workers: 13}\n").await;
    assert_eq!(told, ["a hook of the program panicked", "13 is more than 10"]);
    let told = refused(&folder, &app, "tasks: {max_workers: 9, timeout: 0}\n").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(seen.load(Ordering::Relaxed), 0);
    reloaded(&folder, &app, "tasks: {max_workers: 9}\n").await;
    assert_eq!(seen.load(Ordering::Relaxed), 9);
}

#[tokio::test(start_paused = true)]
async fn code_still_beats_what_is_reloaded() {
    let folder = Folder::new();
    let app = builder(&folder).slots(2).store_url("memory:").start().await.unwrap();
    reloaded(&folder, &app, "tasks: {max_workers: 8}\nstore: {url: \"memory://\"}\n").await;
    for _ in 0..9 {
        app.submit(pack { millis: 100 }).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(app.running(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_of_the_programs_own_can_be_given() {
    let folder = Folder::new();
    let app = testing::builder().definitions([pack::definition()]).build().await.unwrap();
    assert!(matches!(app.reload().await, Err(ReloadError::WithoutConfiguration)));
    let configuration = folder.builder().set("queues.parcels.max_depth", 1).load().unwrap();
    app.reload_with(&configuration).await.unwrap();
    app.submit(pack { millis: 0 }).await.unwrap();
    assert!(app.submit(pack { millis: 0 }).await.is_err());
    // From now on there is one to read again.
    app.reload().await.unwrap();
    let error = testing::builder().reload_on_hangup().build().await.unwrap_err();
    assert!(error.to_string().contains("there is no configuration to reload on SIGHUP"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn reloads_show_no_secret() {
    const CANARY: &str = "canary-51ab";
    let folder = Folder::new();
    let app = builder(&folder).build().await.unwrap();
    write(&folder, &format!("app: {{name: \"redis://u:{CANARY}@h\"}}\nstore: {{url: \"mysql://u:{CANARY}@h\"}}\n"));
    let error = app.reload().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    let error = testing::builder().store_url(format!("mysql://u:{CANARY}@h/x")).build().await.unwrap_err();
    assert!(error.to_string().contains("there is no store for `mysql:`; write `memory:` or "), "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    let error = testing::builder().store_url(CANARY).build().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
}
