use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use super::{explain::Explained, layers::Layers, read::read, sections::Sections, service::Declared};
use crate::{
    application::Settings,
    domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, Node, NodeValue, closest},
};

/// A configuration that holds: the framework's settings, the service's own sections, and where each value comes from.
///
/// ```
/// use ddd_core::Configuration;
///
/// #[derive(serde::Deserialize, garde::Validate)] // garde 0.23 is a dependency of the service
/// #[serde(deny_unknown_fields)]
/// struct Billing {
///     #[garde(range(min = 1))]
///     retries: u32,
/// }
///
/// let configuration = Configuration::builder()
///     .section::<Billing>("billing")
///     .set("billing.retries", 3)
///     .set("tasks.max_workers", 8)
///     .load()?;
/// assert_eq!(configuration.section::<Billing>().retries, 3);
/// assert_eq!(configuration.settings().slots, 8);
/// println!("{}", configuration.explain());
/// # Ok::<_, ddd_core::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Configuration {
    profile: Arc<str>,
    settings: Settings,
    own: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    tree: Node,
    secrets: Vec<Vec<String>>,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the configuration does not hold:{}", .problems.iter().map(|it| format!("\n  {it}")).collect::<String>())]
pub struct ConfigurationError {
    /// Each problem, with its place.
    pub problems: Vec<ConfigurationProblem>,
}

/// As text: this is what `main` prints when it returns the error.
impl fmt::Debug for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Configuration {
    /// What the layers make together.
    pub(crate) fn of(profile: &str, layers: Layers, declared: Vec<Declared>) -> Result<Self, ConfigurationError> {
        let Layers { mut tree, mut problems } = layers;
        let mut own_trees = BTreeMap::new();
        for section in &declared {
            let node = tree.take(&[&section.name]);
            own_trees.insert(section.name.clone(), node.unwrap_or_else(|| Node::empty(ConfigurationOrigin::code())));
        }
        problems.extend(unknown(&mut tree, &declared));
        let mut settings = Settings::default();
        let sections = match read::<Sections>(&tree, "") {
            Ok(read) => read.value,
            Err(found) => {
                problems.extend(found);
                Sections::default()
            }
        };
        sections.apply(&mut settings);
        problems.extend(settings.problems().into_iter().map(|it| ConfigurationProblem::new(None, "", it)));
        let (mut own, mut secrets) = (HashMap::new(), Vec::new());
        for section in declared {
            match (section.read)(&own_trees[&section.name]) {
                Ok(read) => {
                    own.insert(section.type_id, read.value);
                    let below = |path: Vec<String>| [section.name.clone()].into_iter().chain(path).collect();
                    secrets.extend(read.secrets.into_iter().map(below));
                }
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigurationError { problems });
        }
        let mut whole = defaults();
        whole.overlay(tree);
        for (name, node) in own_trees {
            whole.put([name.as_str()], node);
        }
        Ok(Self { profile: profile.into(), settings, own, tree: whole, secrets })
    }

    /// Which file beside `default.yaml` counts.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The framework's settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The service's section of this type.
    ///
    /// # Panics
    /// No section of this type was declared to the builder: a mistake in the program, not in the configuration.
    #[must_use]
    #[allow(clippy::panic, reason = "as `AppBuilder`'s wiring: the program cannot have meant it")]
    pub fn section<T: Send + Sync + 'static>(&self) -> Arc<T> {
        let name = std::any::type_name::<T>();
        let found = self.own.get(&TypeId::of::<T>()).cloned().and_then(|it| it.downcast().ok());
        found.unwrap_or_else(|| {
            panic!("`{name}` is no section of the configuration; declare it with `.section::<{name}>(\"…\")`")
        })
    }

    /// Every setting with its value, and where that comes from. Secrets show as `***`.
    #[must_use]
    pub fn explain(&self) -> Explained {
        Explained::of(&self.tree, &self.secrets)
    }
}

/// What holds where nothing is configured, as the lowest layer.
fn defaults() -> Node {
    let origin = ConfigurationOrigin::new(ConfigurationLayer::Default, "".into(), None);
    let json = serde_json::to_value(Sections::of(&Settings::default())).unwrap_or_default();
    node_of(json, &origin)
}

/// A JSON value as a node.
pub(crate) fn node_of(json: serde_json::Value, origin: &ConfigurationOrigin) -> Node {
    use serde_json::Value;
    let value = match json {
        Value::Null => NodeValue::Null,
        Value::Bool(it) => NodeValue::Bool(it),
        Value::Number(it) => match it.as_i64() {
            Some(it) => NodeValue::Integer(it),
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

/// Takes the sections away that nobody reads, and tells of each.
fn unknown(tree: &mut Node, declared: &[Declared]) -> Vec<ConfigurationProblem> {
    let NodeValue::Map(entries) = &mut tree.value else { return Vec::new() };
    let known = || Sections::NAMES.into_iter().chain(declared.iter().map(|it| it.name.as_str()));
    let strange: Vec<_> = entries.keys().filter(|key| !known().any(|it| it == *key)).cloned().collect();
    let taken = strange.into_iter().filter_map(|key| Some((entries.remove(&key)?.origin, key)));
    let told = taken.map(|(origin, key)| {
        let hint = match closest(&key, known()) {
            Some(it) => format!("did you mean `{it}`?"),
            None => "a section of the service's own is declared with `.section::<…>(\"…\")`".to_owned(),
        };
        ConfigurationProblem::new(Some(origin), key, format!("nobody reads this section; {hint}"))
    });
    told.collect()
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it holds is for `explain`, which hides secrets.
        f.debug_struct("Configuration").field("profile", &self.profile).finish_non_exhaustive()
    }
}
