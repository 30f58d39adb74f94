use super::{aliases, sections::Sections, service::Declared, unread::Unread};
use crate::domain::{ConfigurationOrigin, ConfigurationProblem, Node};

/// The layers of a configuration, laid upon each other as they come, and what was wrong with them.
#[derive(Debug)]
pub(crate) struct Layers {
    pub(super) tree: Node,
    pub(super) problems: Vec<ConfigurationProblem>,
    /// The sections of which not all that the sources say is in the tree: what is missing may stand where nothing could be read.
    pub(super) unread: Unread,
}

impl Default for Layers {
    fn default() -> Self {
        Self { tree: Node::empty(ConfigurationOrigin::code()), problems: Vec::new(), unread: Unread::default() }
    }
}

impl Layers {
    /// Lays a tree upon what is there, under the names that its settings have here.
    pub(crate) fn lay(&mut self, mut layer: Node) {
        aliases::rename(&mut layer);
        self.tree.overlay(layer);
    }

    /// Lays one variable of the original upon what is there, if it means something here. One that was meant to be a setting is told.
    pub(crate) fn lay_variable(&mut self, name: &str, value: Node, declared: &[Declared]) {
        if let Some(meant) = meant(name, declared) {
            let message = format!("it sets nothing: between the parts stand two underscores; did you mean `{meant}`?");
            self.problems.push(ConfigurationProblem::new(Some(value.origin), "", message));
        } else if let Some(alias) = aliases::of_variable(name) {
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

    /// Tells of something that could not be read, in any section.
    pub(crate) fn problem(&mut self, problem: ConfigurationProblem) {
        self.problem_in(None, problem);
    }

    /// Tells of something that could not be read in this section; in any, if it is not known.
    pub(crate) fn problem_in(&mut self, section: Option<String>, problem: ConfigurationProblem) {
        self.problems.push(problem);
        self.unread.0.push(section);
    }

    /// Tells of what is wrong with something that was read all the same.
    pub(crate) fn remark(&mut self, problems: Vec<ConfigurationProblem>) {
        self.problems.extend(problems);
    }
}

/// How a variable is written that begins like one of a section, with one underscore for two.
fn meant(name: &str, declared: &[Declared]) -> Option<String> {
    let rest = name.strip_prefix("DDD_")?.trim_start_matches('_');
    let sections = Sections::NAMES.into_iter().chain(declared.iter().map(|it| it.name.as_str()));
    let below = |section: &str| {
        let (begin, below) = rest.split_at_checked(section.len())?;
        let below = below.strip_prefix('_')?.trim_start_matches('_');
        (begin.eq_ignore_ascii_case(section) && !below.is_empty()).then(|| format!("DDD__{begin}__{below}"))
    };
    // `policy_defaults` before a section `policy`.
    sections.filter_map(|it| Some((it.len(), below(it)?))).max().map(|it| it.1)
}
