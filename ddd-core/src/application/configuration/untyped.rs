//! Values in a text from a source that knows nothing but texts, as nodes.

use serde::de::Error;
use serde_json::Value;

use super::{misfit::Misfit, node_of::node_of};
use crate::domain::{ConfigurationOrigin, Node, NodeValue};

/// A list: JSON, or items with commas between them.
pub(super) fn list(text: &str, origin: &ConfigurationOrigin) -> Result<Node, Misfit> {
    if text.trim_start().starts_with('[') {
        let json = json(text).ok_or_else(|| Misfit::custom("the text begins like a JSON list and is none"))?;
        return Ok(node_of(json, origin));
    }
    let items = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let items = items.map(|it| Node::new(NodeValue::Untyped(it.to_owned()), origin.clone()));
    Ok(Node::new(NodeValue::List(items.collect()), origin.clone()))
}

/// A group of settings: a JSON object.
pub(super) fn group(text: &str, origin: &ConfigurationOrigin) -> Option<Node> {
    json(text).filter(Value::is_object).map(|it| node_of(it, origin))
}

/// The number or the truth value that a text reads like, or the text.
pub(super) fn scalar(text: &str, origin: &ConfigurationOrigin) -> Node {
    let json = json(text).filter(|it| it.is_number() || it.is_boolean());
    node_of(json.unwrap_or_else(|| text.into()), origin)
}

/// Makes lists and groups of all texts that read like one, so that each setting in them is seen by its name.
pub(super) fn spread(node: &mut Node) {
    match &mut node.value {
        NodeValue::Map(entries) => entries.values_mut().for_each(spread),
        NodeValue::List(items) => items.iter_mut().for_each(spread),
        NodeValue::Untyped(text) => {
            if let Some(json) = json(text).filter(|it| it.is_object() || it.is_array()) {
                *node = node_of(json, &node.origin);
            }
        }
        _ => {}
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
