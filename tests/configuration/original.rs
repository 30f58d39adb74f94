//! The settings of the framework that this one follows take effect under their old names.

use std::time::Duration;

use crate::support::Folder;

#[test]
fn its_variables_take_effect() {
    let folder = Folder::new().file(
        ".env",
        "APP_NAME=shop\nDEBUG=true\nLOG_LEVEL=DEBUG\nLOG_FORMAT=console\nTASK_MAX_WORKERS=7\nTASK_RETRY_ATTEMPTS=3\n\
         TASK_RETRY_DELAY=5\nTASK_RESULT_CACHE_SIZE=500\nTASK_RESULT_CACHE_TTL=7200\nTASK_MAX_HISTORY_HOURS=168\n",
    );
    let configuration = folder.builder().load().unwrap();
    let settings = configuration.settings();
    assert_eq!(settings.slots, 7);
    // It counted retries, and here the first run counts.
    assert_eq!(settings.retry.max_attempts, 4);
    assert_eq!(settings.retry.delay, Duration::from_secs(5));
    assert_eq!(settings.store.results_max, 500);
    assert_eq!(settings.result_ttl, Duration::from_secs(7_200));
    assert_eq!(settings.store.history_ttl, Duration::from_secs(168 * 3_600));
    let explained = configuration.explain().to_string();
    for (key, value) in [("app.name", "shop"), ("app.debug", "true"), ("log.level", "DEBUG"), ("log.format", "console")]
    {
        let line = explained.lines().find(|it| it.starts_with(key)).unwrap();
        assert!(line.contains(value) && line.contains(".env:"), "{line}");
    }
}

#[test]
fn its_yaml_takes_effect() {
    let folder = Folder::new().file(
        "default.yaml",
        "framework:\n  name: shop\n  debug: false\nlogging:\n  level: INFO\ninfrastructure:\n  tasks:\n    \
         max_workers: 16\n    retry_attempts: 2\n    retry_delay: 3\n    result_cache_size: 10\n    result_cache_ttl: 60\n",
    );
    let configuration = folder.builder().load().unwrap();
    let settings = configuration.settings();
    assert_eq!((settings.slots, settings.retry.max_attempts), (16, 3));
    assert_eq!((settings.store.results_max, settings.result_ttl), (10, Duration::from_secs(60)));
}

#[test]
fn the_canonical_name_beats_the_old_one_in_one_source() {
    let folder = Folder::new();
    let variables = [("TASK_MAX_WORKERS", "7"), ("DDD__TASKS__MAX_WORKERS", "8")];
    assert_eq!(folder.builder().environment(variables).load().unwrap().settings().slots, 8);
    // A higher source beats a lower one, whatever the name.
    let folder = folder.file("default.yaml", "tasks: {max_workers: 9}\n");
    assert_eq!(folder.builder().environment([("TASK_MAX_WORKERS", "7")]).load().unwrap().settings().slots, 7);
}
