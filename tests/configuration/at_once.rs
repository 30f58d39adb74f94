//! All mistakes are told at once: none hides another, and none makes one up.

use std::{collections::BTreeMap, io::Write, process::Command, time::Duration};

use ddd_core::{App, Secret, Task, task};
use serde::Deserialize;

use crate::support::Folder;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Card,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only their absence is tested")]
struct Host {
    name: String,
    address: std::net::IpAddr,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[allow(dead_code, reason = "only their absence is tested")]
struct Shop {
    currency: String,
    port: std::num::NonZeroU16,
    key: Secret,
    mode: Mode,
    main: Host,
    others: Vec<Host>,
    rates: BTreeMap<String, f64>,
    open: bool,
    pause: Duration,
    note: Option<String>,
}

fn told(files: &[(&str, &str)]) -> Vec<String> {
    let folder = files.iter().fold(Folder::new(), |folder, (name, text)| folder.file(name, text));
    folder.told(&folder.builder().section::<Shop>("shop").load().unwrap_err())
}

/// Exactly these problems, each by a part of its text.
fn expect(files: &[(&str, &str)], expected: &[&str]) {
    let told = told(files);
    for part in expected {
        assert_eq!(told.iter().filter(|it| it.contains(part)).count(), 1, "{part}: {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
}

const WHOLE: &str = "shop:\n  currency: EUR\n  port: 1\n  key: k\n  mode: card\n  main: {name: a, address: 127.0.0.1}\n  \
                     others: []\n  rates: {}\n  open: true\n  pause: {secs: 1, nanos: 0}\n";

#[test]
fn every_missing_setting_is_told() {
    let missing = ["currency", "port", "key", "mode", "main", "others", "rates", "open", "pause"];
    let missing: Vec<_> = missing.iter().map(|it| format!("`shop.{it}`: it is not set anywhere")).collect();
    expect(&[], &missing.iter().map(String::as_str).collect::<Vec<_>>());
    // Inside of a list, and beside what does not fit.
    let text = WHOLE.replace("others: []", "others: [{name: b}, {address: nowhere}, 7]").replace("port: 1", "port: x");
    expect(
        &[("default.yaml", &text)],
        &[
            "default.yaml:3: `shop.port`: a text",
            "`shop.others.0.address`: it is not set",
            "`shop.others.1.address`: ",
            "`shop.others.1.name`: it is not set",
            "`shop.others.2`: a number",
        ],
    );
}

#[test]
fn a_mistake_of_form_hides_none_of_meaning() {
    let text = "log:\n  format: xml\n  level: loud\ntasks:\n  lease: soon\n  max_workers: 0\n  heartbeat: 1m\n";
    let expected = ["default.yaml:12: `log.format`", "default.yaml:13: `log.level`", "`tasks.lease`", "`slots` is 0"];
    expect(&[("default.yaml", &format!("{WHOLE}{text}"))], &expected);
}

#[test]
fn what_cannot_be_read_hides_nothing_that_can() {
    // What comes twice: the first one counts.
    let text = WHOLE.replace("port: 1", "port: x\n  currency: USD") + "tasks: 7\n";
    expect(
        &[("default.yaml", &text)],
        &[
            "default.yaml:4: `currency`: it is already set in line 2",
            "default.yaml:3: `shop.port`",
            "default.yaml:12: `tasks`: a number",
        ],
    );
    // A tab: what stands before it, and from the next section on, is read; what is missing may stand in between.
    let text = "shop:\n  port: x\n  currency: EUR\n\tkey: k\n  open: maybe\n# a note\ntasks: 7\nlog:\n  level: loud\n";
    expect(
        &[("default.yaml", text)],
        &[
            "default.yaml:4: the line is indented by a tab",
            "`shop.port`: a text",
            "default.yaml:7: `tasks`",
            "`log.level`",
        ],
    );
    let text = "log:\n  level: [1\nx: 1\napp: {name: &n x, version: *n}\ntasks: 7\n";
    expect(
        &[("default.yaml", text)],
        &["this is not YAML", "`log.level`: a list", "anchors", "aliases", "`tasks`: a number"],
    );
    // A line of `.env`.
    let files = [("default.yaml", WHOLE), (".env", "what\nDDD__LOG__FORMAT=xml\n")];
    expect(&files, &[".env:1: this line sets nothing", "`log.format`"]);
}

#[task]
async fn kept_simple() {}

#[ddd_core::rate_limited(1, per = "1s", name = "limited_at_once")]
async fn limited() -> Result<(), ddd_core::Refused> {
    Ok(())
}

#[tokio::test]
async fn names_of_tasks_and_policies_are_checked_together() {
    assert!(limited().await.is_ok());
    let folder = Folder::new();
    let configuration = folder
        .builder()
        .set("tasks.definitions.kept_simpel.timeout", "1s")
        .set("policies.limited_at_onec.rate_limited.limit", 1)
        .set("store.url", "memroy:")
        .load()
        .unwrap();
    let builder = App::builder().definitions([kept_simple::definition()]).configuration(&configuration);
    let told = builder.build().await.unwrap_err().to_string();
    for part in ["did you mean `kept_simple`?", "limited_at_onec", "did you mean `memory:`?", ": 3 problems"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
#[ignore = "a process that the test below starts"]
async fn child_starts_alone() {
    writeln!(std::io::stdout(), "{:?}", App::start().await.unwrap_err()).unwrap();
}

#[test]
fn start_tells_of_the_wiring_beside_the_configuration() {
    let folder = Folder::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "at_once::child_starts_alone", "--ignored", "--nocapture"]).current_dir(folder.path());
    command.env("DDD__LGO__LEVEL", "info").env("DDD__TASKS__DEFINITIONS__KEPT_SIMPEL__TIMEOUT", "1s");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    for part in ["`lgo`: nobody reads this section; did you mean `log`?", "did you mean `kept_simple`?"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
