//! The service's own part of a configuration.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{read::read, unread::Unread};
use crate::domain::{ConfigurationProblem, Node};

/// What was read of a section: its value, its type, and its secrets.
pub(super) struct Section {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) secrets: Vec<Vec<String>>,
    /// The whole section as JSON, if it is one that cannot change.
    pub(super) fixed: Option<Value>,
}

/// Reads a section, given what was not read to its end.
type ReadSection = Arc<dyn Fn(&Node, &Unread) -> Result<Section, Vec<ConfigurationProblem>> + Send + Sync>;

/// A section that the service declared, before it is read.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(super) name: String,
    pub(super) type_id: TypeId,
    pub(super) type_name: &'static str,
    pub(super) read: ReadSection,
    /// What holds where nothing is configured, if that is known.
    pub(super) defaults: Option<Value>,
    /// What it looks like, if that is known.
    pub(super) schema: Option<fn(&mut SchemaGenerator) -> Schema>,
}

impl Declared {
    /// The section `name`, of this type.
    pub(crate) fn new<T>(name: &str) -> Self
    where
        T: DeserializeOwned + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        Self::reading::<T>(name, None, |_| None)
    }

    /// The same; it cannot change while the program runs, and its defaults are known.
    pub(crate) fn fixed<T>(name: &str) -> Self
    where
        T: DeserializeOwned + Serialize + JsonSchema + Default + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        let declared = Self::reading::<T>(name, json(&T::default()), json);
        Self { schema: Some(T::json_schema), ..declared }
    }

    fn reading<T>(name: &str, defaults: Option<Value>, fixed: fn(&T) -> Option<Value>) -> Self
    where
        T: DeserializeOwned + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        let section = name.to_owned();
        let read = move |node: &Node, unread: &Unread| {
            let read = read::<T>(node, &section, unread).map_err(|it| it.problems)?;
            read.value.validate().map_err(|report| violations(&report, node, &section))?;
            let fixed = fixed(&read.value);
            Ok(Section { value: Arc::new(read.value), secrets: read.secrets, fixed })
        };
        Self {
            name: name.to_owned(),
            type_id: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            read: Arc::new(read),
            defaults,
            schema: None,
        }
    }
}

fn json<T: Serialize>(section: &T) -> Option<Value> {
    serde_json::to_value(section).ok()
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
