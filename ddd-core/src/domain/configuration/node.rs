use std::collections::BTreeMap;

use super::{ConfigurationLayer, ConfigurationOrigin};

/// A value of a configuration, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where it comes from. A map's is where its first entry stands.
    pub origin: ConfigurationOrigin,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NodeValue {
    /// Nothing: the setting is as if it were not there.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A text from a source that knows nothing but texts, such as the environment: it is whatever is asked for.
    Untyped(String),
    /// A list.
    List(Vec<Node>),
    /// Settings by name.
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// This value from this place.
    #[must_use]
    pub const fn new(value: NodeValue, origin: ConfigurationOrigin) -> Self {
        Self { value, origin }
    }

    /// A map without entries.
    #[must_use]
    pub const fn empty(origin: ConfigurationOrigin) -> Self {
        Self::new(NodeValue::Map(BTreeMap::new()), origin)
    }

    /// What is at this path; `None` if there is nothing.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Self> {
        let mut node = self;
        for part in path {
            let NodeValue::Map(entries) = &node.value else { return None };
            node = entries.get(part)?;
        }
        Some(node)
    }

    /// The innermost thing that is there on the way to `key`, whose parts are joined by dots: names with dots in them are
    /// found as well. `None` if not even the first part is there.
    #[must_use]
    pub fn nearest(&self, key: &str) -> Option<&Self> {
        let NodeValue::Map(entries) = &self.value else { return None };
        let below = entries.iter().filter_map(|(name, node)| {
            let rest = key.strip_prefix(name.as_str())?;
            match rest.strip_prefix('.') {
                Some(rest) => Some((name.len(), node.nearest(rest).unwrap_or(node))),
                None => rest.is_empty().then_some((name.len(), node)),
            }
        });
        below.max_by_key(|it| it.0).map(|it| it.1)
    }

    /// Takes away what is at this path.
    pub fn take(&mut self, path: &[&str]) -> Option<Self> {
        let (last, parents) = path.split_last()?;
        let mut node = self;
        for part in parents {
            let NodeValue::Map(entries) = &mut node.value else { return None };
            node = entries.get_mut(*part)?;
        }
        let NodeValue::Map(entries) = &mut node.value else { return None };
        entries.remove(*last)
    }

    /// Drops the groups above `path` that hold nothing any more.
    pub fn drop_empty(&mut self, path: &[&str]) {
        for length in (1..path.len()).rev() {
            let above = self.at(path[..length].iter().copied());
            if above.is_some_and(|it| matches!(&it.value, NodeValue::Map(it) if it.is_empty())) {
                self.take(&path[..length]);
            }
        }
    }

    /// Puts `value` at this path; maps on the way are made, and what is no map is replaced.
    pub fn put<'a>(&mut self, path: impl IntoIterator<Item = &'a str>, value: Self) {
        let mut node = self;
        for part in path {
            if !matches!(node.value, NodeValue::Map(_)) {
                *node = Self::empty(value.origin.clone());
            }
            let NodeValue::Map(entries) = &mut node.value else { return };
            node = entries.entry(part.to_owned()).or_insert_with(|| Self::empty(value.origin.clone()));
        }
        *node = value;
    }

    /// Lays `over` on top: maps are merged, everything else is replaced. A `null` on top takes nothing away.
    pub fn overlay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (_, NodeValue::Null) => {}
            (NodeValue::Map(entries), NodeValue::Map(more)) => {
                // Who wrote the group is more use than that there is one.
                if self.origin.layer == ConfigurationLayer::Default {
                    self.origin = over.origin;
                }
                for (key, node) in more {
                    match entries.get_mut(&key) {
                        Some(below) => below.overlay(node),
                        None => drop(entries.insert(key, node)),
                    }
                }
            }
            (_, value) => *self = Self::new(value, over.origin),
        }
    }

    /// What kind of value it is, in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "a truth value",
            NodeValue::Integer(_) => "a whole number",
            NodeValue::Float(_) => "a number",
            NodeValue::Text(_) | NodeValue::Untyped(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a group of settings",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(layer: ConfigurationLayer, number: i64) -> Node {
        Node::new(NodeValue::Integer(number), ConfigurationOrigin::new(layer, "x".into(), None))
    }

    #[test]
    fn maps_are_merged_and_the_rest_is_replaced() {
        let (file, env) = (ConfigurationLayer::DefaultFile, ConfigurationLayer::Environment);
        let mut below = Node::empty(ConfigurationOrigin::code());
        below.put(["tasks", "slots"], leaf(file, 1));
        below.put(["tasks", "other"], leaf(file, 2));
        let mut above = Node::empty(ConfigurationOrigin::code());
        above.put(["tasks", "slots"], leaf(env, 3));
        above.put(["tasks", "other"], Node::new(NodeValue::Null, ConfigurationOrigin::code()));
        below.overlay(above);
        assert_eq!(below.at(["tasks", "slots"]), Some(&leaf(env, 3)));
        assert_eq!(below.at(["tasks", "other"]), Some(&leaf(file, 2)));
        assert_eq!(below.at(["tasks", "slots", "deeper"]), None);
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut tree = Node::empty(ConfigurationOrigin::code());
        tree.put(["a", "b"], leaf(ConfigurationLayer::Code, 1));
        assert_eq!(tree.take(&["a", "b"]), Some(leaf(ConfigurationLayer::Code, 1)));
        assert_eq!(tree.take(&["a", "b"]), None);
        assert_eq!(tree.take(&["x", "b"]), None);
    }
}
