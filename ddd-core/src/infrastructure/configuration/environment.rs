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

/// The settings that canonical variables hold, and the other variables.
pub(crate) fn environment(variables: Vec<Variable>, root: ConfigurationOrigin) -> (Node, Vec<Variable>) {
    let mut tree = Node::empty(root);
    let (canonical, others): (Vec<_>, Vec<_>) = variables.into_iter().partition(|it| it.name.starts_with(PREFIX));
    for it in canonical {
        let path = it.name[PREFIX.len()..].to_ascii_lowercase();
        tree.put(path.split("__"), Node::new(NodeValue::Untyped(it.value), it.origin));
    }
    (tree, others)
}
