//! The registry: found, searched, exported, and what is in force.

use ddd_core::{App, Priority, Registered, Retry, Settings, Task, TaskOverrides, task, testing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{builder_with, nap, record, secs};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Line {
    article: String,
    pieces: u32,
    parts: Vec<Self>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Address {
    street: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Receipt {
    total: f64,
    to: Address,
}

/// Renders an invoice as a document.
///
/// With all its lines.
#[task(
    "render_invoice",
    queue = "documents",
    priority = 3,
    timeout = "5m",
    retry(max_attempts = 5, delay = "1s"),
    result_ttl = "10m",
    version = 2,
    category = "billing",
    tags("pdf", "Slow"),
    schedule(cron = "0 3 * * *")
)]
fn render(#[serde(default)] lines: Vec<Line>, #[serde(default)] to: Option<Address>) -> Result<Receipt, String> {
    let _ = to;
    Ok(Receipt { total: lines.len() as f64, to: Address { street: String::new() } })
}

#[task(category = "billing", internal)]
async fn remind(customer: u64, #[secret] token: String, #[inject] _sender: &Sender) {
    let _ = (customer, token);
}

#[derive(Debug)]
struct Sender;

async fn app() -> App {
    builder_with([render::definition(), remind::definition()]).provide(Sender).build().await.unwrap()
}

fn names<'a>(found: impl Iterator<Item = &'a Registered>) -> Vec<&'a str> {
    found.map(|it| it.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn found_by_name_text_category_and_tag() {
    let app = app().await;
    let registry = app.registry();
    assert_eq!(names(registry.iter()), ["echo", "fail", "nap", "remind", "render_invoice"]);
    assert_eq!((registry.len(), registry.is_empty()), (5, false));
    assert_eq!(registry.find("render_invoice").unwrap().definition.name, "render_invoice");
    assert!(registry.find("render").is_none());
    for (text, found) in [
        ("INVOICE", &["render_invoice"][..]),
        ("all its lines", &["render_invoice"]),
        ("billing", &["remind", "render_invoice"]),
        ("slow", &["render_invoice"]),
        ("takes so long", &["fail", "nap"]),
        ("nothing like it", &[]),
    ] {
        assert_eq!(names(registry.search(text)), found, "{text}");
    }
    assert_eq!(names(registry.search("")).len(), 5);
    assert_eq!(names(registry.in_category("billing")), ["remind", "render_invoice"]);
    assert_eq!(names(registry.in_category("bill")), [""; 0]);
    assert_eq!(names(registry.with_tag("pdf")), ["render_invoice"]);
    assert_eq!(names(registry.with_tag("slow")), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn exported_with_places_settings_and_schemas() {
    let export = app().await.registry().export();
    let all = export.as_array().unwrap();
    assert_eq!(all.len(), 5);
    let render = all.iter().find(|it| it["name"] == "render_invoice").unwrap();
    assert!(render["file"].as_str().unwrap().ends_with("registry.rs"));
    let attribute = include_str!("registry.rs").lines().position(|it| it.trim() == "#[task(").unwrap();
    assert_eq!(render["line"], json!(attribute + 1));
    assert!(render["module"].as_str().unwrap().ends_with("registry"));
    assert!(render["doc"].as_str().unwrap().contains("Renders an invoice"));
    for (key, value) in [
        ("body", json!("blocking")),
        ("version", json!(2)),
        ("category", json!("billing")),
        ("tags", json!(["pdf", "Slow"])),
        ("internal", json!(false)),
        ("schedule", json!({ "cron": "0 3 * * *", "time_zone": "UTC" })),
    ] {
        assert_eq!(render[key], value, "{key}");
    }
    let settings = &render["settings"];
    assert_eq!((&settings["queue"], &settings["priority"]), (&json!("documents"), &json!(3)));
    assert_eq!(settings["timeout"]["secs"], json!(300));
    assert_eq!(settings["retry"]["max_attempts"], json!(5));
    let remind = all.iter().find(|it| it["name"] == "remind").unwrap();
    assert_eq!(
        (&remind["internal"], &remind["secrets"], &remind["body"]),
        (&json!(true), &json!(["token"]), &json!("async"))
    );
    assert!(remind["dependencies"][0].as_str().unwrap().ends_with("Sender"));
    assert!(remind["params"]["properties"].get("_sender").is_none(), "what is injected is no parameter");
}

/// Every `$ref` of a schema points into its own `$defs`.
fn assert_complete(schema: &Value) {
    fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|it| refs(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| refs(it, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    refs(schema, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} points elsewhere"));
        assert!(reference.starts_with("#/$defs/"), "{reference}");
        assert!(schema.pointer(pointer).is_some(), "{reference} points nowhere in {schema:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn schemas_are_complete_and_valid() {
    let app = app().await;
    for registered in app.registry().iter() {
        let schemas = registered.schemas();
        for schema in [schemas.params.as_value(), schemas.result.as_value()] {
            assert_complete(schema);
            jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|it| panic!("{}: {it}", registered.name));
            jsonschema::draft202012::new(schema).unwrap_or_else(|it| panic!("{}: {it}", registered.name));
        }
    }
    let schemas = app.registry().find("render_invoice").unwrap().schemas();
    let params = schemas.params.as_value();
    let (defs, result) = (&params["$defs"], schemas.result.as_value());
    assert!(defs.get("Line").is_some() && defs.get("Address").is_some(), "{params:#}");
    assert!(result["$defs"].get("Address").is_some(), "{result:#}");
    let valid = jsonschema::draft202012::new(params).unwrap();
    let line = json!({ "article": "a", "pieces": 1, "parts": [{ "article": "b", "pieces": 2, "parts": [] }] });
    assert!(valid.is_valid(&json!({ "lines": [line], "to": { "street": "s" } })));
    assert!(!valid.is_valid(&json!({ "lines": [{ "article": "a", "pieces": 1, "parts": [7] }] })));
    assert!(!valid.is_valid(&json!({ "lines": [], "unknown": 1 })), "as at a submission, unknown keys are refused");
    assert_eq!(
        app.registry().find("remind").unwrap().schemas().params.as_value()["required"],
        json!(["customer", "token"])
    );
}

#[task(concurrency(limit = 2, key = text))]
async fn keyed(text: String) {
    let _ = text;
}

#[tokio::test(start_paused = true)]
async fn the_submission_beats_overrides_which_beat_the_attribute_which_beats_the_defaults() {
    let mut settings = Settings::default();
    settings.timeout = secs(7);
    settings.retry = Retry::attempts(2);
    settings.result_ttl = secs(70);
    let over = TaskOverrides::new()
        .queue("overridden")
        .priority(Priority::clamped(-2))
        .timeout(secs(9))
        .retry(Retry::attempts(9))
        .result_ttl(secs(90));
    let app = testing::builder()
        .definitions([nap::definition(), render::definition(), crate::support::echo::definition(), keyed::definition()])
        .settings(settings)
        .override_task("echo", over)
        .override_task("keyed", TaskOverrides::new().concurrency(9))
        .build()
        .await
        .unwrap();
    let in_force = |name: &str| app.registry().find(name).unwrap().settings.clone();
    let defaults = in_force("nap");
    assert_eq!((defaults.timeout, defaults.retry.max_attempts, defaults.result_ttl), (secs(7), 2, secs(70)));
    assert_eq!((defaults.queue.as_str(), defaults.priority.get(), defaults.concurrency), ("default", 0, None));
    let attribute = in_force("render_invoice");
    assert_eq!((attribute.timeout, attribute.retry.max_attempts, attribute.result_ttl), (secs(300), 5, secs(600)));
    assert_eq!((attribute.queue.as_str(), attribute.priority.get()), ("documents", 3));
    let overridden = in_force("echo");
    assert_eq!((overridden.timeout, overridden.retry.max_attempts, overridden.result_ttl), (secs(9), 9, secs(90)));
    assert_eq!((overridden.queue.as_str(), overridden.priority.get()), ("overridden", -2));
    assert_eq!(in_force("keyed").concurrency, Some(9));
    let exported = app.registry().find("echo").unwrap().export();
    assert_eq!(
        (&exported["settings"]["queue"], &exported["settings"]["timeout"]["secs"]),
        (&json!("overridden"), &json!(9))
    );

    let echo = || crate::support::echo { text: "x".into() };
    let plain = record(&app.submit(echo()).await.unwrap()).await;
    assert_eq!(
        (plain.queue.as_str(), plain.priority.get(), plain.timeout, plain.max_attempts),
        ("overridden", -2, secs(9), 9)
    );
    let said = app.submit(echo()).queue("said").priority(Priority::MAX).timeout(secs(1)).max_attempts(3);
    let said = record(&said.await.unwrap()).await;
    assert_eq!((said.queue.as_str(), said.priority.get(), said.timeout, said.max_attempts), ("said", 10, secs(1), 3));
    let attribute = record(&app.submit(render { lines: Vec::new(), to: None }).await.unwrap()).await;
    assert_eq!((attribute.version, attribute.tags().len(), attribute.timeout), (2, 2, secs(300)));
}
