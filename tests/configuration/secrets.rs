//! What is secret shows nowhere.

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
    for key in ["app.name", "store.url", "log.level", "payment.url"] {
        let folder = Folder::new()
            .file("default.yaml", &format!("payment: {{plain_name: {CANARY}, password: {CANARY}, url: x}}\n"));
        let configuration = folder.builder().section::<Payment>("payment").set(key, &url).load().unwrap();
        let shown = format!("{configuration:?} {}", configuration.explain());
        assert!(!shown.contains(CANARY), "{key}: {shown}");
        assert!(shown.contains("mysql://***@db/x"), "{key}: {shown}");
    }
}
