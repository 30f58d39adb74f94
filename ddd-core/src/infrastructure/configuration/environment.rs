//! The environment of the process: `DDD__TASKS__SLOTS=8` is `tasks.slots`.

use crate::domain::{ConfigurationLayer, ConfigurationOrigin, Node, NodeValue};

/// A variable, and where it was set.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) origin: ConfigurationOrigin,
}

/// What every canonical variable begins with.
const PREFIX: &str = "DDD__";

/// The variables of this process that are text.
pub(crate) fn process() -> Vec<Variable> {
    let texts =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.map(|(name, value)| variable(name, value)).collect()
}

/// A variable of the environment.
pub(crate) fn variable(name: String, value: String) -> Variable {
    let origin = ConfigurationOrigin::new(ConfigurationLayer::Environment, name.as_str().into(), None);
    Variable { name, value, origin }
}

/// The settings that variables hold: canonical ones, and those that `alias` knows by another name. All others are none of
/// ours.
pub(crate) fn environment<'a>(
    variables: impl IntoIterator<Item = Variable>,
    alias: impl Fn(&str) -> Option<&'a [&'a str]>,
    root: ConfigurationOrigin,
) -> Node {
    let mut tree = Node::empty(root);
    let (mut canonical, mut aliased) = (Vec::new(), Vec::new());
    for it in variables {
        match it.name.strip_prefix(PREFIX) {
            Some(path) => canonical.push((path.to_ascii_lowercase(), it)),
            None => aliased.extend(alias(&it.name).map(|path| (path, it))),
        }
    }
    // The canonical name is the more deliberate one, so it is laid over the other.
    for (path, it) in aliased {
        tree.put(path.iter().copied(), Node::new(NodeValue::Untyped(it.value), it.origin));
    }
    for (path, it) in canonical {
        tree.put(path.split("__"), Node::new(NodeValue::Untyped(it.value), it.origin));
    }
    tree
}
