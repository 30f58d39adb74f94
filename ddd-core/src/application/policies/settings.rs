//! Settings of policies as JSON objects: shown, and changed by name.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{domain::closest, ports::PolicyChangeError};

/// The settings, each under its name; those without a value are `null`.
pub(super) fn shown<S: Serialize>(settings: &S) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(it)) => it,
        // Settings are structs of numbers, texts and flags; there is nothing in them that JSON cannot say.
        _ => Map::new(),
    }
}

/// These settings with the named ones changed. `fixed` are those that cannot change while the program runs.
///
/// # Errors
/// A name is unknown or fixed, or a value is none of its setting's. What the values mean together the caller checks.
pub(super) fn changed<S>(
    current: &S,
    change: &Map<String, Value>,
    fixed: &[&'static str],
) -> Result<S, PolicyChangeError>
where
    S: Serialize + DeserializeOwned + Clone,
{
    let mut all = shown(current);
    let mut settings = current.clone();
    // One after the other, so that an error knows its setting.
    for (name, value) in change {
        if !all.contains_key(name) {
            return Err(PolicyChangeError::new(name, unknown(name, &all)));
        }
        if fixed.contains(&name.as_str()) {
            return Err(PolicyChangeError::new(name, "cannot change while the program runs; change the attribute"));
        }
        all.insert(name.clone(), value.clone());
        let read = serde_json::from_value(Value::Object(all.clone()));
        settings = read.map_err(|error| PolicyChangeError::new(name, error.to_string()))?;
    }
    Ok(settings)
}

fn unknown(name: &str, all: &Map<String, Value>) -> String {
    let names = || all.keys().map(String::as_str);
    match closest(name, names()) {
        Some(it) => format!("there is no such setting; did you mean `{it}`?"),
        None => format!("there is no such setting; there are `{}`", names().collect::<Vec<_>>().join("`, `")),
    }
}
