use super::aliases;
use crate::domain::{ConfigurationOrigin, ConfigurationProblem, Node};

/// The layers of a configuration, laid upon each other as they come, and what was wrong with them.
#[derive(Debug)]
pub(crate) struct Layers {
    pub(super) tree: Node,
    pub(super) problems: Vec<ConfigurationProblem>,
}

impl Default for Layers {
    fn default() -> Self {
        Self { tree: Node::empty(ConfigurationOrigin::code()), problems: Vec::new() }
    }
}

impl Layers {
    /// Lays a tree upon what is there, under the names that its settings have here.
    pub(crate) fn lay(&mut self, layer: Result<Node, Vec<ConfigurationProblem>>) {
        match layer {
            Ok(mut layer) => {
                aliases::rename(&mut layer);
                self.tree.overlay(layer);
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// Lays one variable of the original upon what is there, if it means something here.
    pub(crate) fn lay_variable(&mut self, name: &str, value: Node) {
        if let Some(alias) = aliases::of_variable(name) {
            let mut layer = Node::empty(value.origin.clone());
            layer.put(alias.setting.iter().copied(), alias.convert(value));
            self.tree.overlay(layer);
        }
    }

    /// Lays the value of one setting upon what is there.
    pub(crate) fn lay_setting(&mut self, setting: &str, value: Node) {
        let mut layer = Node::empty(value.origin.clone());
        layer.put(setting.split('.'), value);
        self.tree.overlay(layer);
    }

    /// Tells of something that is wrong.
    pub(crate) fn problem(&mut self, problem: ConfigurationProblem) {
        self.problems.push(problem);
    }
}
