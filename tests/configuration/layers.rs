//! The higher layer wins, for every type of setting.

use std::time::Duration;

use ddd_core::{Configuration, RankStep};

use crate::support::{Folder, explained};

/// Settings: their path, and how each is written and then explained in `default.yaml`, `production.yaml`, `.env`, the environment
/// and code, all different.
const CASES: [(&str, [&str; 5]); 13] = [
    // A whole number.
    ("tasks.max_workers", ["1", "2", "3", "4", "5"]),
    // A duration.
    ("tasks.timeout", ["1s", "2m", "3h", "4", "5ms"]),
    // A number.
    ("tasks.retry.backoff", ["1.5", "2.5", "3.5", "4.5", "5.5"]),
    // A truth value.
    ("tasks.retry.jitter", ["true", "false", "yes", "off", "true"]),
    // A size.
    ("tasks.limits.params", ["1KiB", "2KiB", "3KiB", "4KiB", "5KiB"]),
    // A choice.
    ("log.format", ["json", "pretty", "json", "console", "json"]),
    // A whole number with a sign.
    ("tasks.definitions.send.priority", ["-1", "2", "-3", "4", "-5"]),
    // A duration, or a word.
    ("tasks.priority_step", ["1h", "strict", "3h", "strict", "5h"]),
    // A limit of a queue.
    ("queues.mail.max_depth", ["1", "2", "3", "4", "5"]),
    // A setting of a policy, which takes any type.
    ("policies.label.cached.ttl", ["1m", "2m", "3m", "4m", "5m"]),
    // A default of policies.
    ("policy_defaults.cached.capacity", ["1", "2", "3", "4", "5"]),
    // A section that somebody declared.
    ("server.max_body_bytes", ["1KiB", "2KiB", "3KiB", "4KiB", "5KiB"]),
    // A text.
    ("app.name", ["a", "b", "c", "d", "e"]),
];

fn yaml(key: &str, value: &str) -> String {
    let parts: Vec<_> = key.split('.').collect();
    let lines = parts.iter().enumerate().map(|(depth, part)| {
        let value = if depth + 1 == parts.len() { format!(" {value}") } else { String::new() };
        format!("{}{part}:{value}\n", "  ".repeat(depth))
    });
    lines.collect()
}

fn variable(key: &str) -> String {
    format!("DDD__{}", key.replace('.', "__").to_uppercase())
}

/// The configuration in which exactly these layers set `key`.
fn with(key: &str, written: [&str; 5], layers: &[usize]) -> Configuration {
    let mut folder = Folder::new();
    for layer in layers {
        let value = written[*layer];
        folder = match layer {
            0 => folder.file("default.yaml", &yaml(key, value)),
            1 => folder.file("production.yaml", &yaml(key, value)),
            2 => folder.file(".env", &format!("{}={value}\n", variable(key))),
            _ => folder,
        };
    }
    let mut builder = ddd_web::WebSettings::declare(folder.builder());
    if layers.contains(&3) {
        builder = builder.environment([(variable(key), written[3])]);
    }
    if layers.contains(&4) {
        let value = written[4];
        let typed = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::from(value));
        builder = builder.set(key, typed);
    }
    builder.load().unwrap_or_else(|error| panic!("{key}: {error}"))
}

#[test]
fn for_each_pair_of_layers_the_higher_wins() {
    let places = ["default.yaml", "production.yaml", ".env", "environment", "code"];
    for (key, written) in CASES {
        for low in 0..5 {
            for (high, place) in places.iter().enumerate().skip(low) {
                let configuration = with(key, written, &[low, high]);
                let (value, origin) = explained(&configuration, key);
                assert_eq!(value, written[high], "{key}: layer {high} over {low}");
                assert!(origin.contains(place), "{key}: {origin} is not {place}");
            }
        }
        // What is named by the service is there only if somebody sets it.
        let configuration = with(key, written, &[]);
        if configuration.explain().settings.iter().any(|it| it.key == key) {
            assert_eq!(explained(&configuration, key).1, "default", "{key}");
        }
    }
}

#[test]
fn what_wins_is_what_the_engine_works_with() {
    let folder = Folder::new().file(
        "default.yaml",
        "tasks:\n  max_workers: 7\n  timeout: 90s\n  priority_step: strict\n  retry: {max_attempts: 4, delay: 2s}\n  \
         limits: {params: 2MiB}\n  queues: [mail, default]\n  definitions:\n    send: {timeout: 10m, retry: {delay: 9s}}\n\
         queues:\n  mail: {max_depth: 9, rate_limit: {limit: 5, per: 1s}}\n",
    );
    let configuration = folder.builder().load().unwrap();
    let settings = configuration.settings();
    assert_eq!((settings.slots, settings.timeout), (7, Duration::from_secs(90)));
    assert_eq!(settings.store.rank_step, RankStep::STRICT);
    assert_eq!((settings.retry.max_attempts, settings.retry.delay), (4, Duration::from_secs(2)));
    assert_eq!(settings.store.limits.params, 2 << 20);
    assert_eq!(settings.queues.as_ref().unwrap().len(), 2);
    let send = settings.overrides.get("send").unwrap();
    assert_eq!(send.timeout, Some(Duration::from_secs(600)));
    // What a task's retry leaves out is as for all tasks.
    assert_eq!(send.retry.map(|it| (it.max_attempts, it.delay)), Some((4, Duration::from_secs(9))));
    let (name, mail) = &settings.store.queues[0];
    assert_eq!((name.as_str(), mail.max_depth), ("mail", Some(9)));
    assert_eq!(mail.rate_limit.map(|it| (it.limit(), it.per())), Some((5, Duration::from_secs(1))));
}

#[test]
fn lists_and_groups_in_variables_are_read() {
    let folder = Folder::new();
    let read = |value: &str| {
        let configuration = folder.builder().environment([("DDD__TASKS__QUEUES", value)]).load().unwrap();
        configuration.settings().queues.clone().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(read("mail, default"), ["mail", "default"]);
    assert_eq!(read(r#"["mail"]"#), ["mail"]);
    let variables = [("DDD__QUEUES__MAIL", r#"{"max_depth": 3}"#)];
    let configuration = folder.builder().environment(variables).load().unwrap();
    assert_eq!(configuration.settings().store.queues[0].1.max_depth, Some(3));
}

#[test]
fn the_profile_comes_from_the_environment() {
    let folder = Folder::new().file("staging.yaml", "app: {name: staged}\n").file(".env", "ENVIRONMENT=other\n");
    let builder = Configuration::builder().directory(folder.path()).dotenv(folder.path().join(".env"));
    let configuration = builder.environment([("ENVIRONMENT", "staging")]).load().unwrap();
    assert_eq!(configuration.profile(), "staging");
    assert_eq!(explained(&configuration, "app.name").0, "staged");
    let builder = Configuration::builder().directory(folder.path()).dotenv(folder.path().join(".env"));
    assert_eq!(builder.environment::<&str, &str>([]).load().unwrap().profile(), "other");
}

#[test]
fn policies_are_overridden_by_name() {
    let folder = Folder::new().file("default.yaml", "policies:\n  profile:\n    cached: {ttl: 5m}\n");
    let variables =
        [("DDD__POLICIES__PROFILE__RATE_LIMITED__LIMIT", "60"), ("DDD__POLICIES__PROFILE__RATE_LIMITED__PER", "1m")];
    let configuration = folder.builder().environment(variables).load().unwrap();
    let profile = serde_json::to_value(&configuration.settings().policies["profile"]).unwrap();
    let expected = serde_json::json!({ "cached": { "ttl": "5m" }, "rate_limited": { "limit": 60, "per": "1m" } });
    assert_eq!(profile, expected);
}
