//! What the policies counted: every policy of the program, from one list.

use ddd_core::{PolicyInfo, policies};
use serde_json::Value;

pub fn show() {
    section!("what the policies counted");
    policies().list().iter().for_each(line);
}

fn line(policy: &PolicyInfo) {
    let figures: Vec<_> = policy.figures.iter().filter_map(|(name, value)| figure(name, value)).collect();
    let name = format!("{} {}", policy.name, policy.kind);
    say!("{name:32} {}", figures.join(", "));
}

/// Those that say something.
fn figure(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.as_f64() != Some(0.0) => Some(format!("{name} {number}")),
        Value::String(text) => Some(format!("{name} {text}")),
        _ => None,
    }
}
