//! What is written about settings is made from their types: the table in the guide, the JSON Schema for editors, and
//! `.env.example`. `UPDATE=1` writes them anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::PathBuf,
};

use ddd_core::{Configuration, ConfigurationBuilder};
use ddd_web::WebSettings;
use serde_json::Value;

use crate::support::Folder;

/// Where no default is written, or it depends on the machine.
const DEFAULTS: [(&str, &str); 4] = [
    ("tasks.max_workers", "4 × cores, at least 4"),
    ("tasks.queues", "those of its tasks, those with settings, and `default`"),
    ("log.level", "`info`; `debug` if `app.debug`"),
    ("log.format", "`json`; `pretty` if `app.debug`, or the profile is `development`"),
];

/// What `.env.example` says where there is no default.
const EXAMPLES: [(&str, &str); 9] = [
    ("app.name", "shop"),
    ("app.version", "1.0.0"),
    ("app.environment", "development"),
    ("app.debug", "false"),
    ("log.level", "info"),
    ("log.format", "json"),
    ("tasks.max_workers", "8"),
    ("tasks.queues", "default, parcels"),
    ("api.submit_limit", r#"{"limit": 100, "per": "1m"}"#),
];

/// What holds unless set, of defaults that the attributes have.
const OF_ATTRIBUTES: [(&str, &str); 10] = [
    ("policy_defaults.cached.ttl", "1h"),
    ("policy_defaults.cached.capacity", "10000"),
    ("policy_defaults.rate_limited.limit", "60"),
    ("policy_defaults.rate_limited.per", "1m"),
    ("policy_defaults.rate_limited.burst", "60"),
    ("policy_defaults.retry.max_attempts", "3"),
    ("policy_defaults.retry.delay", "1s"),
    ("policy_defaults.retry.backoff", "2.0"),
    ("policy_defaults.retry.max_delay", "30s"),
    ("policy_defaults.retry.jitter", "true"),
];

/// A setting as its type and its documentation say.
struct Setting {
    key: String,
    meaning: String,
    default: Option<String>,
}

fn builder(folder: &Folder) -> ConfigurationBuilder {
    WebSettings::declare(folder.builder())
}

/// All settings, in the order of their sections.
fn settings() -> Vec<Setting> {
    let folder = Folder::new();
    let schema = builder(&folder).schema();
    let explained = builder(&folder).load().unwrap().explain();
    let defaults: BTreeMap<_, _> = explained.settings.into_iter().map(|it| (it.key, it.value)).collect();
    let mut all = Vec::new();
    for section in ["app", "log", "store", "tasks", "queues", "policies", "policy_defaults", "server", "api", "health"]
    {
        collect(&schema["properties"][section], section, &defaults, &mut all);
    }
    assert_eq!(schema["properties"].as_object().unwrap().len(), 10, "a section is missing here");
    all
}

fn collect(schema: &Value, key: &str, defaults: &BTreeMap<String, String>, all: &mut Vec<Setting>) {
    // An optional group is `anyOf` the group and `null`.
    let group = schema["anyOf"].as_array().and_then(|it| it.iter().find(|it| it["properties"].is_object()));
    let group = group.unwrap_or(schema);
    if let Some(entries) = group["properties"].as_object() {
        entries.iter().for_each(|(name, it)| collect(it, &format!("{key}.{name}"), defaults, all));
        return;
    }
    let name = if key.starts_with("policies.{name}.") { "{setting}" } else { "{name}" };
    let entries = &schema["additionalProperties"];
    if entries.is_object() || (entries == true) {
        return collect(entries, &format!("{key}.{name}"), defaults, all);
    }
    let meaning = match key.strip_prefix("policies.{name}.") {
        Some(kind) => format!("What overrides the attribute `#[{}]`.", kind.trim_end_matches(".{setting}")),
        None => schema["description"].as_str().unwrap_or_default().replace('\n', " "),
    };
    assert!(!meaning.is_empty(), "`{key}` says nothing");
    let of_attributes = OF_ATTRIBUTES.iter().find(|it| it.0 == key).map(|it| it.1.to_owned());
    let default = defaults.get(key).filter(|it| *it != "(not set)").cloned().or(of_attributes);
    all.push(Setting { key: key.to_owned(), meaning, default });
}

fn table(settings: &[Setting]) -> String {
    let mut table = String::from("| setting | meaning | unless set |\n|---|---|---|\n");
    for it in settings {
        let special = DEFAULTS.iter().find(|special| special.0 == it.key).map(|it| it.1.to_owned());
        let default = special.or_else(|| it.default.as_ref().map(|it| format!("`{it}`"))).unwrap_or_default();
        let default = if OF_ATTRIBUTES.iter().any(|of| of.0 == it.key) { String::new() } else { default };
        writeln!(table, "| `{}` | {} | {default} |", it.key, it.meaning.replace('|', "\\|")).unwrap();
    }
    table
}

fn variable(key: &str) -> String {
    format!("DDD__{}", key.replace('.', "__").to_uppercase())
}

fn dotenv(settings: &[Setting]) -> String {
    let mut text = String::from(
        "# Settings of a service, for development: copy this file to `.env`, and take the `#` away from what differs.\n# In production, \
         the same variables are set in the environment, or their settings in `config/default.yaml`.\n",
    );
    let mut section = "";
    for it in settings.iter().filter(|it| !it.key.contains('{')) {
        if it.key.split('.').next() != Some(section) {
            section = it.key.split('.').next().unwrap();
            writeln!(text, "\n# --- {section} ---").unwrap();
        }
        let group = it.key.strip_suffix(".limit").or_else(|| it.key.strip_suffix(".per"));
        if group == Some("api.submit_limit") {
            if it.key.ends_with("limit") {
                let example = EXAMPLES.iter().find(|example| example.0 == "api.submit_limit").unwrap().1;
                writeln!(text, "# How often one caller may submit.\n#DDD__API__SUBMIT_LIMIT='{example}'").unwrap();
            }
            continue;
        }
        let example = EXAMPLES.iter().find(|example| example.0 == it.key).map(|it| it.1.to_owned());
        let value = example.or_else(|| it.default.clone()).unwrap_or_else(|| panic!("no example for `{}`", it.key));
        let value = if value.contains([' ', '#']) { format!("\"{value}\"") } else { value };
        writeln!(text, "# {}\n#{}={value}", it.meaning, variable(&it.key)).unwrap();
    }
    text.push_str(
        "\n# --- by name ---\n# What overrides the attribute of the task `send_parcel`.\n#DDD__TASKS__DEFINITIONS__SEND_PARCEL__TIMEOUT=10m\n# How many tasks \
         may wait in the queue `parcels`.\n#DDD__QUEUES__PARCELS__MAX_DEPTH=1000\n# What overrides the attribute of the function policy \
         `label`.\n#DDD__POLICIES__LABEL__RATE_LIMITED__LIMIT=60\n",
    );
    text
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Compares a file with what it should be, or writes it.
fn is_up_to_date(file: &str, expected: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "{file} is out of date; write it with `UPDATE=1 cargo test -p ddd-tests --test configuration`"
    );
}

#[test]
fn the_table_in_the_guide_is_made_from_the_types() {
    const BEGIN: &str = "<!-- settings: made from their types by a test -->\n";
    const END: &str = "<!-- end of settings -->\n";
    let guide = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (before, rest) = guide.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    is_up_to_date("docs/configuration.md", &format!("{before}{BEGIN}{}{END}{after}", table(&settings())));
}

#[test]
fn the_schema_for_editors_is_made_from_the_types() {
    let folder = Folder::new();
    let schema = builder(&folder).schema();
    is_up_to_date("docs/configuration.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let good = serde_json::json!({
        "tasks": { "max_workers": 8, "timeout": "5m", "result_ttl": 60, "limits": { "params": "1MiB" },
            "definitions": { "send": { "retry": { "max_attempts": 3, "delay": "2s" } } } },
        "queues": { "parcels": { "max_depth": 3, "rate_limit": { "limit": 5, "per": "1s" } } },
        "policies": { "label": { "rate_limited": { "limit": 60 } } },
        "server": { "port": 8000 }, "billing": { "retries": 3 },
    });
    assert!(
        validator.is_valid(&good),
        "{:?}",
        validator.iter_errors(&good).map(|it| it.to_string()).collect::<Vec<_>>()
    );
    for bad in [
        serde_json::json!({ "tasks": { "max_wrokers": 8 } }),
        serde_json::json!({ "tasks": { "max_workers": "many" } }),
        serde_json::json!({ "tasks": { "timeout": "soon" } }),
        serde_json::json!({ "tasks": { "limits": { "params": "huge" } } }),
        serde_json::json!({ "queues": { "parcels": { "max_depth": 0 } } }),
        serde_json::json!({ "log": { "format": "xml" } }),
        serde_json::json!({ "server": { "port": 70_000 } }),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

#[test]
fn the_example_of_variables_is_made_from_the_types_and_loads() {
    let expected = dotenv(&settings());
    is_up_to_date(".env.example", &expected);
    // As it is, it sets nothing.
    let folder = Folder::new().file(".env", &expected);
    let nothing = builder(&folder).load().unwrap().explain();
    assert_eq!(nothing, builder(&Folder::new()).load().unwrap().explain());
    // Every line of it is a setting that loads, and shows where it comes from.
    let names = |line: &str| line.starts_with("#DDD__");
    let all: String = expected.lines().filter(|it| names(it)).map(|it| format!("{}\n", &it[1..])).collect();
    let count = all.lines().count();
    assert!(count > 60, "{count} settings");
    let folder = Folder::new().file(".env", &all);
    let configuration = builder(&folder).load().unwrap_or_else(|error| panic!("{error}"));
    // A group in one variable is several settings from one line.
    let origins = configuration.explain().settings.into_iter().map(|it| it.origin);
    let set: BTreeSet<_> = origins.filter(|it| it.contains(".env:")).collect();
    assert_eq!(set.len(), count, "{}", configuration.explain());
    let web = WebSettings::of(&configuration).unwrap();
    assert_eq!(web.address(), ("127.0.0.1", 8000));
    let _: &Configuration = &configuration;
}
