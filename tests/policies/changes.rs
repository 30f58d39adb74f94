//! What is alike when settings of any policy change.

use std::thread;

use ddd_core::{PolicyKind, Refused, bulkhead, cached, circuit_breaker, policies, rate_limited, retry};
use serde_json::{Value, json};

use crate::support::settings;

#[cached("1m", name = "changed")]
#[rate_limited(10, name = "changed")]
#[retry(3, name = "changed")]
#[circuit_breaker(name = "changed")]
#[bulkhead(5, queue = 5, wait = "1s", name = "changed")]
async fn changed(number: u32) -> Result<u32, Refused> {
    Ok(number)
}

/// The setting of a policy, and two values for it.
type Setting = (&'static str, [Value; 2]);

fn effective(kind: PolicyKind, setting: &str) -> Value {
    let all = policies().get("changed").unwrap();
    all.into_iter().find(|it| it.kind == kind).unwrap().effective[setting].clone()
}

#[test]
fn changes_of_two_settings_at_the_same_time_both_hold() {
    let kinds: [(PolicyKind, [Setting; 2]); 5] = [
        (PolicyKind::Cached, [("capacity", [json!(10), json!(20)]), ("ttl", [json!("1m"), json!("2m")])]),
        (PolicyKind::RateLimited, [("limit", [json!(1), json!(2)]), ("queue", [json!(1), json!(2)])]),
        (PolicyKind::Retry, [("max_attempts", [json!(1), json!(2)]), ("delay", [json!("1s"), json!("2s")])]),
        (PolicyKind::CircuitBreaker, [("min_calls", [json!(1), json!(2)]), ("probes", [json!(1), json!(2)])]),
        (PolicyKind::Bulkhead, [("limit", [json!(1), json!(2)]), ("queue", [json!(1), json!(2)])]),
    ];
    for (kind, both) in kinds {
        thread::scope(|scope| {
            for (setting, values) in both {
                scope.spawn(move || {
                    for value in values.iter().cycle().take(100) {
                        policies().change("changed", kind, &settings(json!({ setting: value }))).unwrap();
                        assert_eq!(
                            effective(kind, setting),
                            *value,
                            "`{setting}` of {kind}, which nobody else changes"
                        );
                    }
                });
            }
        });
    }
    policies().reset("changed", None).unwrap();
    assert!(policies().get("changed").unwrap().iter().all(|it| it.effective == it.annotated));
}

#[tokio::test]
async fn what_changed_is_called() {
    assert_eq!(changed(1).await, Ok(1));
}
