//! Every line parses, whatever was logged, and carries its ids.

use std::{collections::BTreeMap, fmt};

use ddd_core::{App, Priority, TaskContext, TaskId, task};
use serde_json::{Value, json};

use crate::support::{log, origin};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TASKS: usize = 100;
const EACH: usize = 100;

/// Texts out of everything that could end a string, a line, or somebody's patience.
fn text(random: &mut fastrand::Rng) -> String {
    const NASTY: [&str; 16] = [
        "\"",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "é",
        "語",
        "🦀",
        "\u{fffd}",
        "{\"level\":\"",
        "}\n{",
    ];
    (0..random.usize(0..40))
        .map(|_| match random.u8(0..3) {
            0 => NASTY[random.usize(0..NASTY.len())].to_owned(),
            1 => random.char(..).to_string(),
            _ => random.alphanumeric().to_string(),
        })
        .collect()
}

#[task(retry(max_attempts = 2, delay = "1ms"))]
async fn speak(seed: u64, #[inject] context: TaskContext) -> Result<(), String> {
    if context.attempt() == 1 {
        return Err(text(&mut fastrand::Rng::with_seed(seed)));
    }
    let mut random = fastrand::Rng::with_seed(seed);
    for number in 0..EACH {
        let (message, field) = (text(&mut random), text(&mut random));
        match number % 4 {
            0 => tracing::info!(number, field, said = context.id().to_string(), "{message}"),
            1 => tracing::warn!(number, ?field, said = context.id().to_string(), message),
            2 => {
                tokio::task::yield_now().await;
                tracing::error!(number, %field, said = %context.id(), level = 7, "{message}");
            }
            _ => {
                let inner = tracing::info_span!("inner", inner = field.as_str(), task_name = "not this one");
                inner.in_scope(|| tracing::info!(number, said = %context.id(), "{message}"));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn ten_thousand_messages_parse_and_carry_their_ids() {
    let (_, log) = log();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let app = App::builder().definitions([<speak as ddd_core::Task>::definition()]).start().await.unwrap();
    let mut handles = Vec::new();
    for number in 0..TASKS {
        let origin = origin(&format!("request-{number}"), Some(TRACE));
        let task = speak { seed: seed.wrapping_add(number as u64) };
        handles.push(app.submit(task).origin(origin).priority(Priority::clamped(1)).await.unwrap());
    }
    let mut requests = BTreeMap::new();
    for (number, handle) in handles.iter().enumerate() {
        handle.result().await.unwrap();
        requests.insert(handle.id().to_string(), (number, 0));
    }
    let lines = log.where_(|it| it["said"].as_str().is_some_and(|it| requests.contains_key(it)));
    assert_eq!(lines.len(), TASKS * EACH, "seed {seed}");
    let mut random = BTreeMap::new();
    for line in &lines {
        let id = line["said"].as_str().unwrap();
        let (number, next) = requests.get_mut(id).unwrap();
        let random =
            random.entry(*number).or_insert_with(|| fastrand::Rng::with_seed(seed.wrapping_add(*number as u64)));
        let (message, field) = (text(random), text(random));
        assert_eq!(line["number"], *next, "{line}");
        assert_eq!(line["message"], message, "{line}");
        match *next % 4 {
            0 | 2 => assert_eq!(line["field"], field, "{line}"),
            1 => assert_eq!(line["field"], format!("{field:?}"), "{line}"),
            _ => assert_eq!(line["inner"], field, "{line}"),
        }
        if *next % 4 == 2 {
            assert_eq!((&line["level"], &line["field.level"]), (&json!("ERROR"), &json!(7)), "{line}");
        }
        let name = if *next % 4 == 3 { "not this one" } else { "speak" };
        assert_ids(line, id, name, 2);
        assert_eq!(line["request_id"], format!("request-{number}"), "{line}");
        assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{line}");
        assert_eq!(line["span_id"], "00f067aa0ba902b7", "{line}");
        *next += 1;
    }
    app.shutdown(std::time::Duration::from_secs(1)).await;
}

fn assert_ids(line: &Value, id: &str, name: &str, attempt: u32) {
    assert_eq!(line["task_id"], id, "{line}");
    assert_eq!(line["task_name"], name, "{line}");
    assert_eq!(line["attempt"], attempt, "{line}");
    // A claim that is given back unbegun takes a fence and no attempt.
    assert!(line["fence"].as_u64().is_some_and(|it| it >= u64::from(attempt)), "{line}");
    assert!(line["worker"].as_str().is_some_and(|it| it.len() == 36), "{line}");
}

#[task]
async fn explode(text: String) {
    tokio::task::yield_now().await;
    panic!("{text}");
}

#[task]
fn explode_blocking(text: String) {
    panic!("{text}");
}

#[tokio::test]
async fn a_hundred_panics_are_lines_with_their_ids() {
    let (_, log) = log();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    use ddd_core::Task as _;
    let app =
        App::builder().definitions([explode::definition(), explode_blocking::definition()]).start().await.unwrap();
    let mut expected: BTreeMap<TaskId, String> = BTreeMap::new();
    let mut handles = Vec::new();
    for number in 0..100 {
        let text = text(&mut random);
        let origin = origin(&format!("panic-{number}"), None);
        let handle = if number % 4 == 3 {
            app.submit(explode_blocking { text: text.clone() }).origin(origin).await.unwrap()
        } else {
            app.submit(explode { text: text.clone() }).origin(origin).await.unwrap()
        };
        expected.insert(handle.id(), text);
        handles.push(handle);
    }
    for handle in &handles {
        assert!(handle.result().await.is_err());
    }
    let lines =
        log.where_(|it| it["target"] == "panic" && it["location"].as_str().is_some_and(|it| it.contains("lines.rs")));
    let mut seen = BTreeMap::new();
    for line in &lines {
        let Some(id) = line["task_id"].as_str() else { panic!("no id: {line}") };
        let id: TaskId = id.parse().unwrap();
        let Some(text) = expected.get(&id) else { continue };
        assert_eq!(line["message"], format!("a panic: {text}"), "{line}");
        let number = handles.iter().position(|it| it.id() == id).unwrap();
        let name = if number % 4 == 3 { "explode_blocking" } else { "explode" };
        assert_ids(line, &id.to_string(), name, 1);
        assert_eq!(line["request_id"], format!("panic-{number}"), "{line}");
        assert_eq!(line["level"], "ERROR");
        *seen.entry(id).or_insert(0) += 1;
    }
    assert!(seen.len() == 100 && seen.values().all(|it| *it == 1), "seed {seed}: {seen:?}");
    app.shutdown(std::time::Duration::from_secs(1)).await;
}

/// Panics when it is shown.
struct Grenade;

impl fmt::Debug for Grenade {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("shown once too often")
    }
}

/// Has no end.
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("on and ")?;
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the outer one")]
struct Outer(#[source] std::io::Error);

#[test]
fn values_of_all_sorts_are_written() {
    let (_, log) = log();
    let error = Outer(std::io::Error::other("the \"inner\" one"));
    tracing::info!(
        marker = "sorts",
        nan = f64::NAN,
        infinite = f64::NEG_INFINITY,
        float = 1.5,
        large = u128::MAX,
        small = i128::MIN,
        number = u64::MAX,
        truth = true,
        error = &error as &dyn std::error::Error,
        timestamp = "mine",
        message.detail = "dotted",
        "said"
    );
    tracing::info!(marker = "sorts", grenade = ?Grenade, after = 1);
    tracing::info!(marker = "sorts", "{Endless}");
    let lines = log.where_(|it| it["marker"] == "sorts");
    let [all, grenade, endless] = &lines[..] else { panic!("{lines:?}") };
    for (key, value) in [
        ("nan", json!("NaN")),
        ("infinite", json!("-inf")),
        ("float", json!(1.5)),
        ("large", json!(u128::MAX.to_string())),
        ("small", json!(i128::MIN.to_string())),
        ("number", json!(u64::MAX)),
        ("truth", json!(true)),
        ("error", json!("the outer one: the \"inner\" one")),
        ("field.timestamp", json!("mine")),
        ("message.detail", json!("dotted")),
        ("message", json!("said")),
    ] {
        assert_eq!(all[key], value, "{key}: {all}");
    }
    assert_eq!(grenade["after"], 1, "{grenade}");
    assert!(grenade["grenade"].as_str().unwrap().contains("panicked"), "{grenade}");
    assert!(endless["message"].as_str().unwrap().len() < 20_000);
}
