use serde_json::Value;

use crate::domain::{ConfigurationOrigin, Node, NodeValue};

/// A JSON value as a node.
pub(crate) fn node_of(json: Value, origin: &ConfigurationOrigin) -> Node {
    let value = match json {
        Value::Null => NodeValue::Null,
        Value::Bool(it) => NodeValue::Bool(it),
        Value::Number(it) => match it.as_i64() {
            Some(it) => NodeValue::Integer(it),
            // Larger than a node's number: the type that asks for it reads it.
            None if it.is_u64() => NodeValue::Untyped(it.to_string()),
            None => NodeValue::Float(it.as_f64().unwrap_or(f64::MAX)),
        },
        Value::String(it) => NodeValue::Text(it),
        Value::Array(items) => NodeValue::List(items.into_iter().map(|it| node_of(it, origin)).collect()),
        Value::Object(entries) => {
            NodeValue::Map(entries.into_iter().map(|(key, it)| (key, node_of(it, origin))).collect())
        }
    };
    Node::new(value, origin.clone())
}
