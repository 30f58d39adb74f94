//! The service's own part of a configuration.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::read::read;
use crate::domain::{ConfigurationProblem, Node};

/// What was read of a section: its value, its type, and its secrets.
pub(super) struct Section {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) secrets: Vec<Vec<String>>,
}

type ReadSection = Arc<dyn Fn(&Node) -> Result<Section, Vec<ConfigurationProblem>> + Send + Sync>;

/// A section that the service declared, before it is read.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(super) name: String,
    pub(super) type_id: TypeId,
    pub(super) type_name: &'static str,
    pub(super) read: ReadSection,
}

impl Declared {
    /// The section `name`, of this type.
    pub(crate) fn new<T>(name: &str) -> Self
    where
        T: DeserializeOwned + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        let section = name.to_owned();
        let read = move |node: &Node| {
            let read = read::<T>(node, &section)?;
            read.value.validate().map_err(|report| violations(&report, node, &section))?;
            Ok(Section { value: Arc::new(read.value), secrets: read.secrets })
        };
        Self {
            name: name.to_owned(),
            type_id: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            read: Arc::new(read),
        }
    }
}

/// The rules that a section breaks, each with the place of the setting that breaks it.
fn violations(report: &garde::Report, node: &Node, section: &str) -> Vec<ConfigurationProblem> {
    let violations = report.iter().map(|(path, error)| {
        let path = path.to_string().replace('[', ".").replace(']', "");
        let parts: Vec<_> = path.split('.').filter(|it| !it.is_empty()).collect();
        // An entry of a list, or a setting that is left out, is told of at what holds it.
        let place = (0..=parts.len()).rev().find_map(|length| node.at(parts[..length].iter().copied()));
        let key = [section].into_iter().chain(parts).collect::<Vec<_>>().join(".");
        ConfigurationProblem::new(place.map(|it| it.origin.clone()), key, error.to_string())
    });
    violations.collect()
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared").field("name", &self.name).field("type", &self.type_name).finish_non_exhaustive()
    }
}
