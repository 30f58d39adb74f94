//! Bad input: each mistake is told with its place and what to write instead, all at once.

use ddd_core::Secret;
use serde::Deserialize;

use crate::support::Folder;

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Billing {
    #[garde(range(min = 1, max = 10))]
    retries: u32,
    #[garde(skip)]
    #[allow(dead_code, reason = "only its absence is tested")]
    key: Secret,
}

/// One line of `default.yaml` (below `tasks:` unless it begins with a letter), and what is told of it.
const YAML: [(&str, &str); 27] = [
    ("log:\n  level: luod", "default.yaml:2: `log.level`: "),
    (
        "tasks:\n  max_workers: lots",
        "default.yaml:2: `tasks.max_workers`: a text was found where a whole number from 0 up belongs",
    ),
    (
        "tasks:\n  max_workers: \"8\"",
        "default.yaml:2: `tasks.max_workers`: a text was found where a whole number from 0 up belongs",
    ),
    (
        "tasks:\n  max_workers: -1",
        "default.yaml:2: `tasks.max_workers`: a number is out of range; write a whole number from 0 up",
    ),
    (
        "tasks:\n  max_workers: 1.5",
        "default.yaml:2: `tasks.max_workers`: a number was found where a whole number from 0 up belongs",
    ),
    (
        "tasks:\n  max_workers: [1]",
        "default.yaml:2: `tasks.max_workers`: a list was found where a whole number from 0 up belongs",
    ),
    (
        "tasks:\n  max_workers: {a: 1}",
        "default.yaml:2: `tasks.max_workers`: a group of settings was found where a whole number from 0 up belongs",
    ),
    ("tasks:\n  max_workers: 0", "`slots` is 0; write at least 1"),
    (
        "tasks:\n  max_wrokers: 1",
        "default.yaml:2: `tasks.max_wrokers`: there is no such setting; did you mean `max_workers`?",
    ),
    (
        "tasks:\n  timeout: soon",
        "default.yaml:2: `tasks.timeout`: `soon` is no duration; write a whole number and a unit",
    ),
    ("tasks:\n  timeout: 5 m", "default.yaml:2: `tasks.timeout`: `5 m` is no duration"),
    ("tasks:\n  timeout: 99999999d", "default.yaml:2: `tasks.timeout`: `99999999d` is too long"),
    ("tasks:\n  timeout: true", "default.yaml:2: `tasks.timeout`: a truth value was found where a duration such as"),
    ("tasks:\n  retry: 3", "default.yaml:2: `tasks.retry`: a number was found where a group of settings belongs"),
    (
        "tasks:\n  retry:\n    jitter: maybe",
        "default.yaml:3: `tasks.retry.jitter`: a text was found where a truth value belongs",
    ),
    (
        "tasks:\n  retry:\n    jitter: \"true\"",
        "default.yaml:3: `tasks.retry.jitter`: a text was found where a truth value belongs; write `true` or `false`, without quotes",
    ),
    (
        "tasks:\n  limits:\n    params: huge",
        "default.yaml:3: `tasks.limits.params`: `huge` is no size; write a whole number and a unit",
    ),
    ("tasks:\n  priority_step: never", "default.yaml:2: `tasks.priority_step`: `never` is no duration"),
    (
        "tasks:\n  definitions:\n    send:\n      timeuot: 1s",
        "default.yaml:4: `tasks.definitions.send.timeuot`: there is no such setting; did you mean `timeout`?",
    ),
    ("tasks:\n  definitions:\n    send:\n      priority: 11", "default.yaml:4: `tasks.definitions.send.priority`: "),
    ("queues:\n  \"a b\":\n    max_depth: 1", "default.yaml:2: `queues.a b`: a name consists of"),
    (
        "queues:\n  mail:\n    rate_limit: {limit: 0, per: 1s}",
        "default.yaml:3: `queues.mail.rate_limit.limit`: a number is out of range; write a whole number from 1 up",
    ),
    (
        "queues:\n  mail:\n    rate_limit: {per: 1s}",
        "`queues.mail.rate_limit.limit`: it is not set anywhere, and has no default",
    ),
    (
        "log:\n  format: xml",
        "default.yaml:2: `log.format`: this is none of the choices; write `json`, `console`, `pretty`",
    ),
    ("taks:\n  max_workers: 1", "default.yaml:1: `taks`: nobody reads this section; did you mean `tasks`?"),
    ("tasks:\n  max_workers: 1\n  max_workers: 2", "default.yaml:3: `max_workers`: it is already set in line 2"),
    ("tasks:\n\tmax_workers: 1", "default.yaml:2: the line is indented by a tab; write spaces"),
];

/// Variables, and what is told of them.
const VARIABLES: [(&str, &str, &str); 10] = [
    (
        "DDD__TASKS__MAX_WORKERS",
        "lots",
        "environment DDD__TASKS__MAX_WORKERS: `tasks.max_workers`: a text was found where",
    ),
    (
        "DDD__TASKS__MAX_WROKERS",
        "1",
        "environment DDD__TASKS__MAX_WROKERS: `tasks.max_wrokers`: there is no such setting; did you mean `max_workers`?",
    ),
    ("DDD__TASKS__TIMEOUT", "later", "environment DDD__TASKS__TIMEOUT: `tasks.timeout`: `later` is no duration"),
    (
        "DDD__TASKS__RETRY__JITTER",
        "perhaps",
        "environment DDD__TASKS__RETRY__JITTER: `tasks.retry.jitter`: a text was found where a truth value belongs",
    ),
    (
        "DDD__TASKS__RETRY",
        "3",
        "environment DDD__TASKS__RETRY: `tasks.retry`: a text was found where a group of settings belongs",
    ),
    (
        "DDD__TASKS__QUEUES",
        "[1, ",
        "environment DDD__TASKS__QUEUES: `tasks.queues`: the text begins like a JSON list and is none",
    ),
    ("TASK_MAX_WORKERS", "lots", "environment TASK_MAX_WORKERS: `tasks.max_workers`: a text was found where"),
    (
        "DDD_TASKS_MAX_WORKERS",
        "8",
        "environment DDD_TASKS_MAX_WORKERS: it sets nothing: between the parts stand two underscores; did you mean `DDD__TASKS__MAX_WORKERS`?",
    ),
    ("DDD_LOG__LEVEL", "info", "did you mean `DDD__LOG__LEVEL`?"),
    ("DDD__NOBODY__KNOWS", "1", "environment DDD__NOBODY__KNOWS: `nobody`: nobody reads this section"),
];

#[test]
fn each_mistake_in_a_file_is_told_with_its_place() {
    for (text, expected) in YAML {
        let folder = Folder::new().file("default.yaml", &format!("{text}\n"));
        let told = folder.told(&folder.builder().load().unwrap_err());
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
        assert!(told[0].contains(expected), "{text}\n  told:     {}\n  expected: {expected}", told[0]);
    }
}

#[test]
fn each_mistake_in_a_variable_is_told_with_its_name() {
    for (name, value, expected) in VARIABLES {
        let folder = Folder::new();
        let told = folder.told(&folder.builder().environment([(name, value)]).load().unwrap_err());
        assert_eq!(told.len(), 1, "{name}: {told:#?}");
        assert!(told[0].contains(expected), "{name}\n  told:     {}\n  expected: {expected}", told[0]);
    }
}

#[test]
fn the_services_own_section_is_checked_too() {
    let cases = [
        ("billing:\n  retries: 0\n  key: k\n", "default.yaml:2: `billing.retries`: lower than 1"),
        ("billing:\n  retries: 3\n", "`billing.key`: it is not set anywhere, and has no default"),
        (
            "billing:\n  retries: 3\n  key: k\n  colour: red\n",
            "default.yaml:4: `billing.colour`: there is no such setting",
        ),
    ];
    for (text, expected) in cases {
        let folder = Folder::new().file("default.yaml", text);
        let told = folder.told(&folder.builder().section::<Billing>("billing").load().unwrap_err());
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
        assert!(told[0].contains(expected), "{text}\n  told:     {}\n  expected: {expected}", told[0]);
    }
    // A section that is missing altogether is told of by what it lacks.
    let folder = Folder::new();
    let told = folder.told(&folder.builder().section::<Billing>("billing").load().unwrap_err());
    assert!(told[0].contains("`billing.retries`: it is not set anywhere"), "{told:#?}");
}

#[test]
fn other_sources_are_told_of_as_well() {
    let folder = Folder::new().file(".env", "A=1\nthis is wrong\n");
    let told = folder.told(&folder.builder().load().unwrap_err());
    assert!(told[0].starts_with(".env:2: this line sets nothing"), "{told:#?}");
    let folder = Folder::new();
    let told = folder.told(&folder.builder().profile("../etc/passwd").load().unwrap_err());
    assert!(told[0].contains("is no name; write letters"), "{told:#?}");
    let told = folder.told(&folder.builder().set("tasks.max_workers", "many").load().unwrap_err());
    assert!(told[0].starts_with("code: `tasks.max_workers`: a text was found"), "{told:#?}");
}

/// A `main` that returns the error prints it so.
#[test]
fn the_error_is_debugged_as_text() {
    let folder = Folder::new().file("default.yaml", "tasks:\n  max_wrokers: 1\n  timeout: soon\n");
    let error = folder.builder().load().unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(error.to_string().lines().count(), 3, "{error}");
}

#[test]
fn all_mistakes_of_all_sources_are_told_together() {
    let folder = Folder::new()
        .file("default.yaml", "tasks:\n  max_workers: lots\n  timeuot: 1s\n  timeout: soon\nlgo: {}\n")
        .file("production.yaml", "a:\n\tb: 1\n");
    let builder = folder.builder().environment([("DDD__LOG__FORMAT", "xml")]).section::<Billing>("billing");
    let told = folder.told(&builder.load().unwrap_err());
    for part in ["max_workers", "timeuot", "`tasks.timeout`", "`lgo`", "production.yaml:2", "log.format", "billing"] {
        assert_eq!(told.iter().filter(|it| it.contains(part)).count().min(1), 1, "{part}: {told:#?}");
    }
}
