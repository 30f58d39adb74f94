//! What is secret shows nowhere.

use std::collections::BTreeMap;

use ddd_core::Secret;
use serde::Deserialize;

use crate::support::{Folder, explained};

const CANARY: &str = "canary-7f3a";

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct Payment {
    /// Its name says nothing; its type does.
    plain_name: Secret,
    #[allow(dead_code, reason = "only shown")]
    password: String,
    #[allow(dead_code, reason = "only shown")]
    url: String,
    #[serde(default)]
    #[allow(dead_code, reason = "only read")]
    count: u32,
}

#[test]
fn a_secret_shows_neither_in_explanations_nor_in_debug_nor_in_errors() {
    let folder = Folder::new().file(
        "default.yaml",
        &format!(
            "payment:\n  plain_name: {CANARY}\n  password: {CANARY}\n  url: postgres://app:{CANARY}@db/x\n  count: 1\n"
        ),
    );
    let configuration = folder.builder().section::<Payment>("payment").load().unwrap();
    let payment = configuration.section::<Payment>().unwrap();
    assert_eq!(payment.plain_name.expose(), CANARY);
    let shown = format!("{} {configuration:?} {:?}", configuration.explain(), payment.plain_name);
    assert!(!shown.contains(CANARY), "{shown}");
    assert_eq!(explained(&configuration, "payment.plain_name").0, "***");
    assert_eq!(explained(&configuration, "payment.password").0, "***");
    assert_eq!(explained(&configuration, "payment.url").0, "postgres://***@db/x");
    // A secret where a number belongs is not repeated in the error.
    let variables = [("DDD__PAYMENT__COUNT", CANARY)];
    let error = folder.builder().environment(variables).section::<Payment>("payment").load().unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    assert!(!format!("{:?}", folder.builder().set("payment.password", CANARY)).contains(CANARY));
}

/// The canary in every place that takes a text: what it is refused for must not repeat it, and what it is taken for must not
/// show it where its name or its form says that it is secret.
#[test]
fn a_secret_that_stands_anywhere_is_not_repeated() {
    let url = format!("mysql://me:{CANARY}@db/x");
    let keys = [
        "tasks.max_workers",
        "tasks.retry.jitter",
        "tasks.retry.backoff",
        "tasks.queues",
        "tasks.definitions",
        "queues.mail.max_depth",
        "policies.label.cached",
        "policy_defaults.cached.capacity",
        "server.port",
        "server.compress",
        "payment.count",
    ];
    for key in keys {
        let variable = format!("DDD__{}", key.replace('.', "__").to_uppercase());
        for value in [CANARY, url.as_str()] {
            let folder = Folder::new();
            let builder = ddd_web::WebSettings::declare(folder.builder()).section::<Payment>("payment");
            let error = builder.environment([(variable.clone(), value.to_owned())]).load();
            let shown = match error {
                Ok(configuration) => {
                    format!("{configuration:?} {:?} {}", configuration.unused(), configuration.explain())
                }
                Err(error) => format!("{error} {error:?} {:?}", error.problems),
            };
            // A list takes any text, and a queue may have any name; as a URL it shows without what is secret.
            let is_text = key == "tasks.queues" && value == CANARY;
            assert!(is_text || !shown.contains(CANARY), "{key}={value}: {shown}");
        }
    }
    // Texts that may be URLs.
    for key in ["app.name", "store.url", "payment.url"] {
        let folder = Folder::new()
            .file("default.yaml", &format!("payment: {{plain_name: {CANARY}, password: {CANARY}, url: x}}\n"));
        let configuration = folder.builder().section::<Payment>("payment").set(key, &url).load().unwrap();
        let shown = format!("{configuration:?} {}", configuration.explain());
        assert!(!shown.contains(CANARY), "{key}: {shown}");
        assert!(shown.contains("mysql://***@db/x"), "{key}: {shown}");
    }
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[allow(dead_code, reason = "only shown")]
struct Shapes {
    #[serde(default)]
    keys: Vec<Secret>,
    pair: Option<(u32, Secret)>,
    by_name: Option<BTreeMap<String, Secret>>,
    listed: Option<Vec<Inner>>,
    inner: Option<Inner>,
    method: Option<Method>,
    flat: Option<Flat>,
    either: Option<Either>,
    tagged: Option<Tagged>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only shown")]
struct Inner {
    plain: Secret,
    password: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only shown")]
enum Method {
    Card { plain: Secret },
    Cash(Secret),
    Both(Secret, Secret),
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only shown")]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only shown")]
enum Either {
    One(Secret),
    Many(Vec<Secret>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(dead_code, reason = "only shown")]
enum Tagged {
    Card { plain: Secret },
}

/// Each shape that a secret can stand in, from a file and from one variable.
const SHAPES: [(&str, &str); 13] = [
    ("keys", r#"["a", "CANARY"]"#),
    ("pair", r#"[1, "CANARY"]"#),
    ("by_name", r#"{"a": "CANARY"}"#),
    ("listed", r#"[{"plain": "CANARY", "password": "CANARY"}]"#),
    ("inner", r#"{"plain": "CANARY"}"#),
    ("inner", r#"{"plain": "x", "password": "CANARY"}"#),
    ("method", r#"{"card": {"plain": "CANARY"}}"#),
    ("method", r#"{"cash": "CANARY"}"#),
    ("method", r#"{"both": ["x", "CANARY"]}"#),
    ("flat", r#"{"plain": "CANARY"}"#),
    ("either", r#""CANARY""#),
    ("either", r#"["CANARY"]"#),
    ("tagged", r#"{"kind": "card", "plain": "CANARY"}"#),
];

#[test]
fn a_secret_shows_in_no_shape() {
    let check = |what: &str, folder: &Folder, variables: &[(String, String)]| {
        let builder = folder.builder().section::<Shapes>("shapes").environment(variables.iter().cloned());
        let shown = builder.load().unwrap_or_else(|error| panic!("{what}: {error}")).explain().to_string();
        assert!(!shown.contains(CANARY) && shown.contains("***"), "{what}: {shown}");
    };
    for (key, value) in SHAPES {
        let value = value.replace("CANARY", CANARY);
        // YAML has JSON in it.
        let folder = Folder::new().file("default.yaml", &format!("shapes:\n  {key}: {value}\n"));
        check(&format!("file {key}={value}"), &folder, &[]);
        // Of a text that may be anything, these make nothing.
        if !["pair", "tagged"].contains(&key) {
            let text = value.trim_matches('"').to_owned();
            check(
                &format!("variable {key}={text}"),
                &Folder::new(),
                &[(format!("DDD__SHAPES__{}", key.to_uppercase()), text)],
            );
        }
        let whole = format!("{{\"{key}\": {value}}}");
        check(&format!("variable {whole}"), &Folder::new(), &[("DDD__SHAPES".to_owned(), whole)]);
    }
    check("items", &Folder::new(), &[("DDD__SHAPES__KEYS".to_owned(), format!("a, {CANARY}"))]);
}

/// What is hidden is what is secret, not all beside it.
#[test]
fn what_is_not_secret_shows_beside_what_is() {
    let folder = Folder::new();
    let variables =
        [("DDD__PAYMENT", format!("{{\"plain_name\": \"{CANARY}\", \"password\": \"x\", \"url\": \"here\"}}"))];
    let configuration = folder.builder().section::<Payment>("payment").environment(variables).load().unwrap();
    assert_eq!(explained(&configuration, "payment.plain_name").0, "***");
    assert_eq!(explained(&configuration, "payment.password").0, "***");
    assert_eq!(explained(&configuration, "payment.url"), ("here".to_owned(), "environment DDD__PAYMENT".to_owned()));
}

/// The same shapes with the canary where something else belongs.
#[test]
fn a_value_that_does_not_fit_is_not_repeated() {
    let number = "70377037";
    let values = [CANARY, number, "true", "1.5e-31"].map(|it| {
        let is_text = it == CANARY;
        if is_text { format!("\"{it}\"") } else { it.to_owned() }
    });
    let shapes = [
        ("keys", "[[VALUE]]"),
        ("keys", "[{\"x\": VALUE}]"),
        ("pair", "[VALUE, [VALUE]]"),
        ("by_name", "VALUE"),
        ("by_name", "{\"a\": [VALUE]}"),
        ("listed", "[VALUE]"),
        ("inner", "VALUE"),
        ("inner", "{\"plain\": [VALUE]}"),
        ("inner", "{\"plain\": {\"x\": VALUE}}"),
        ("method", "VALUE"),
        ("method", "{\"card\": VALUE}"),
        ("method", "{\"card\": {\"plain\": [VALUE]}}"),
        ("flat", "VALUE"),
        ("flat", "{\"plain\": [VALUE]}"),
        ("either", "{\"x\": VALUE}"),
        ("tagged", "{\"kind\": VALUE}"),
        ("tagged", "VALUE"),
    ];
    for (key, shape) in shapes {
        for value in &values {
            let text = shape.replace("VALUE", value);
            let load = |folder: &Folder, variables: &[(String, String)]| {
                let variables = variables.iter().cloned();
                let error = folder.builder().section::<Shapes>("shapes").environment(variables).load().unwrap_err();
                let error = error.to_string();
                for secret in [CANARY, number, "`true`", "1.5e-31", "0.00000"] {
                    assert!(!error.contains(secret), "{key}: {text}: {error}");
                }
            };
            let folder = Folder::new().file("default.yaml", &format!("shapes:\n  {key}: {text}\n"));
            load(&folder, &[]);
            if key != "either" {
                // A text is a secret there, whatever it reads like.
                load(&Folder::new(), &[(format!("DDD__SHAPES__{}", key.to_uppercase()), text.clone())]);
            }
            load(&Folder::new(), &[("DDD__SHAPES".to_owned(), format!("{{\"{key}\": {text}}}"))]);
        }
    }
}
