//! Takes secret parameters out of texts that a user's code wrote.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

/// A shorter value is in many texts by chance.
const SHORTEST: usize = 4;

/// `text` with `***` for each value of a secret parameter, however deep it lies in it.
pub(super) fn concealed(text: String, params: &RawValue, secrets: &[&str]) -> String {
    let Ok(params) = serde_json::from_str::<BTreeMap<String, Value>>(params.get()) else { return text };
    let mut values = Vec::new();
    params.iter().filter(|it| secrets.contains(&it.0.as_str())).for_each(|it| collect(it.1, &mut values));
    // The longest first: one may be a part of another.
    values.sort_by_key(|it| std::cmp::Reverse(it.len()));
    values.iter().fold(text, |text, it| if text.contains(it) { text.replace(it, "***") } else { text })
}

fn collect(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(it) => values.extend(Some(it.to_string()).filter(|it| it.len() >= SHORTEST)),
        Value::String(it) if it.len() >= SHORTEST => {
            // As it is, and as `Debug` writes it.
            let debug = format!("{it:?}");
            values.extend([it.clone(), debug[1..debug.len() - 1].to_owned()]);
        }
        Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|it| collect(it, values)),
        Value::Object(entries) => entries.values().for_each(|it| collect(it, values)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_parameters_are_taken_out_and_others_stay() {
        let params = r#"{"user":"ann-1","pin":917456,"token":{"all":["s3\"cret","s3\"cret-long","abc"]}}"#;
        let params = RawValue::from_string(params.to_owned()).unwrap();
        let text = r#"ann-1: 917456, s3"cret-long, s3\"cret, abc"#.to_owned();
        assert_eq!(concealed(text, &params, &["pin", "token"]), "ann-1: ***, ***, ***, abc");
    }
}
