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
