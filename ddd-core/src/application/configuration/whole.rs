use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use super::{
    explain::Explained, gone, layers::Layers, node_of::node_of, read::read, sections::Sections, service::Declared,
    untyped,
};
use crate::{
    application::Settings,
    domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, LogLevels, Node, NodeValue, closest},
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
/// assert_eq!(configuration.section::<Billing>()?.retries, 3);
/// assert_eq!(configuration.settings().slots, 8);
/// println!("{}", configuration.explain());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Configuration {
    profile: Arc<str>,
    settings: Settings,
    /// The framework's own sections, as they were read.
    pub(super) sections: Sections,
    own: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// Of these, the sections that cannot change while the program runs.
    pub(super) fixed: serde_json::Value,
    pub(super) tree: Node,
    pub(super) secrets: Vec<Vec<String>>,
    unused: Vec<ConfigurationProblem>,
    /// Reads it again, from where it came from.
    source: Option<Source>,
}

/// What reads a configuration.
pub(crate) type Source = Arc<dyn Fn() -> Result<Configuration, ConfigurationError> + Send + Sync>;

/// A section that the program asks for, and never declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "`{type_name}` is no section of the configuration; declare it with `.section::<{type_name}>(\"…\")` on the builder"
)]
pub struct UndeclaredSection {
    /// The type that was asked for.
    pub type_name: &'static str,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the configuration does not hold:{}", .problems.iter().map(|it| format!("\n  {it}")).collect::<String>())]
pub struct ConfigurationError {
    /// Each problem, with its place.
    pub problems: Vec<ConfigurationProblem>,
}

/// A configuration that does not hold.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Everything that is wrong with it.
    pub(crate) error: ConfigurationError,
    /// What is left without that, if all sources were read to their ends: good for nothing but to look for more that is wrong.
    pub(crate) rest: Option<Configuration>,
}

/// As text: this is what `main` prints when it returns the error.
impl fmt::Debug for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Configuration {
    /// What the layers make together.
    pub(crate) fn of(profile: &str, layers: Layers, declared: &[Declared]) -> Result<Self, Box<Broken>> {
        let Layers { mut tree, mut problems, unread } = layers;
        let unused = gone::take(&mut tree, declared);
        problems.extend(twice(declared));
        let mut own_trees = BTreeMap::new();
        for section in declared {
            let node = tree.take(&[&section.name]);
            own_trees.insert(section.name.clone(), node.unwrap_or_else(|| Node::empty(ConfigurationOrigin::code())));
        }
        problems.extend(unknown(&mut tree, declared));
        let mut settings = Settings::default();
        let sections = match read::<Sections>(&tree, "", &unread) {
            Ok(read) => read.value,
            Err(found) => {
                problems.extend(found.problems);
                found.rest.unwrap_or_default()
            }
        };
        sections.apply(&mut settings);
        let faults = settings.faults().into_iter().filter(|it| !is_consequence(it, &problems));
        let faults: Vec<_> = faults.map(|it| placed(&tree, it)).collect();
        problems.extend(faults);
        if let Err(error) = sections.log.level(sections.app.debug).parse::<LogLevels>() {
            problems.push(placed(&tree, ConfigurationProblem::new(None, "log.level", error.to_string())));
        }
        let (mut own, mut secrets, mut fixed) = (HashMap::new(), Vec::new(), serde_json::Map::new());
        for section in declared {
            match (section.read)(&own_trees[&section.name], &unread) {
                Ok(read) => {
                    own.insert(section.type_id, read.value);
                    fixed.extend(read.fixed.map(|it| (section.name.clone(), it)));
                    let below = |path: Vec<String>| [section.name.clone()].into_iter().chain(path).collect();
                    secrets.extend(read.secrets.into_iter().map(below));
                }
                Err(found) => problems.extend(found),
            }
        }
        untyped::spread(&mut tree);
        own_trees.values_mut().for_each(untyped::spread);
        let mut whole = defaults(&sections, profile);
        whole.overlay(tree);
        for section in declared {
            let defaults = section.defaults.clone().unwrap_or_else(|| serde_json::json!({}));
            let mut node = node_of(defaults, &default_origin());
            node.overlay(own_trees.remove(&section.name).unwrap_or_else(|| Node::empty(default_origin())));
            whole.put([section.name.as_str()], node);
        }
        let profile = profile.into();
        let fixed = serde_json::Value::Object(fixed);
        let read = Self { profile, settings, sections, own, fixed, tree: whole, secrets, unused, source: None };
        match problems.is_empty() {
            true => Ok(read),
            false => Err(Box::new(Broken {
                error: ConfigurationError { problems },
                rest: unread.is_empty().then_some(read),
            })),
        }
    }

    /// From where it can be read again.
    pub(crate) fn from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// The same configuration as its sources say it now.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read_again(&self) -> Result<Self, ConfigurationError> {
        self.source.as_ref().map_or_else(|| Ok(self.clone()), |read| read())
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
    /// # Errors
    /// No section of this type was declared to the builder: a mistake in the program, not in the configuration.
    pub fn section<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, UndeclaredSection> {
        let found = self.own.get(&TypeId::of::<T>()).cloned().and_then(|it| it.downcast().ok());
        found.ok_or_else(|| UndeclaredSection { type_name: std::any::type_name::<T>() })
    }

    /// Which store tasks are kept in: `store.url`.
    #[must_use]
    pub fn store_url(&self) -> &str {
        self.sections.store.url()
    }

    /// Where `store.url` is set, as text; `None` if it is the default.
    pub(crate) fn store_url_set(&self) -> Option<String> {
        let origin = &self.tree.nearest("store.url")?.origin;
        (origin.layer != ConfigurationLayer::Default && self.sections.store.url.is_some())
            .then(|| format!("{origin}: `store.url`"))
    }

    /// What is logged: `log.level`. Unless set, it is `debug` if `app.debug` is on, else `info`.
    #[must_use]
    pub fn log_level(&self) -> &str {
        self.sections.log.level(self.sections.app.debug)
    }

    /// How it is logged: `log.format`, `json` or `pretty`. Unless set, it is `pretty` if `app.debug` is on or the profile is `development`, else
    /// `json`.
    #[must_use]
    pub fn log_format(&self) -> &'static str {
        self.sections.log.format(self.sections.app.debug, &self.profile).as_str()
    }

    /// What the service calls itself: `app.name`.
    #[must_use]
    pub fn app_name(&self) -> Option<&str> {
        self.sections.app.name.as_deref()
    }

    /// The version of the service: `app.version`.
    #[must_use]
    pub fn app_version(&self) -> Option<&str> {
        self.sections.app.version.as_deref()
    }

    /// Settings of the framework that this one follows which mean nothing here, each with its place and the reason.
    #[must_use]
    pub fn unused(&self) -> &[ConfigurationProblem] {
        &self.unused
    }

    /// A problem with the place of its setting.
    pub(crate) fn placed(&self, problem: ConfigurationProblem) -> ConfigurationProblem {
        placed(&self.tree, problem)
    }

    /// A problem in words: with its place if it stands in a file, a variable or the configuration's code, else alone.
    pub(crate) fn placed_or_bare(&self, problem: ConfigurationProblem) -> String {
        let problem = self.placed(problem);
        match &problem.origin {
            Some(origin) if origin.layer != ConfigurationLayer::Default => problem.to_string(),
            _ => problem.message,
        }
    }

    /// Every setting with its value, and where that comes from. Secrets show as `***`.
    #[must_use]
    pub fn explain(&self) -> Explained {
        Explained::of(&self.tree, &self.secrets)
    }
}

/// A problem with the place of its setting, or of what that stands in.
fn placed(tree: &Node, problem: ConfigurationProblem) -> ConfigurationProblem {
    let origin = match problem.origin {
        None if !problem.key.is_empty() => tree.nearest(&problem.key).map(|it| it.origin.clone()),
        origin => origin,
    };
    ConfigurationProblem { origin, ..problem }
}

/// Whether a fault may follow from a setting that does not fit: that of the setting itself, and of a lease without its heartbeat.
fn is_consequence(fault: &ConfigurationProblem, told: &[ConfigurationProblem]) -> bool {
    let is_within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|it| it.is_empty() || it.starts_with('.')) && !outer.is_empty()
    };
    let of_lease = Some("tasks.heartbeat").filter(|_| fault.key == "tasks.lease");
    let keys: Vec<_> = of_lease.into_iter().chain([fault.key.as_str()]).collect();
    told.iter().any(|it| keys.iter().any(|key| is_within(key, &it.key) || is_within(&it.key, key)))
}

/// Sections that are declared more than once: by name, or by type.
fn twice(declared: &[Declared]) -> Vec<ConfigurationProblem> {
    let before = |at: usize| declared[..at].iter();
    let problems = declared.iter().enumerate().filter_map(|(at, it)| {
        let message = if Sections::NAMES.contains(&it.name.as_str()) {
            "the framework has a section of this name; give the service's own another one"
        } else if before(at).any(|other| other.name == it.name) {
            "two sections are declared under this name; give one of them another"
        } else if before(at).any(|other| other.type_id == it.type_id) {
            "its type is declared for another section as well; write a type for each"
        } else {
            return None;
        };
        Some(ConfigurationProblem::new(Some(ConfigurationOrigin::code()), it.name.clone(), message))
    });
    problems.collect()
}

/// What holds where nothing is configured, as the lowest layer.
fn defaults(read: &Sections, profile: &str) -> Node {
    let mut defaults = Sections::of(&Settings::default());
    // These follow from other settings.
    defaults.log.complete(&read.log, read.app.debug, profile);
    let json = serde_json::to_value(defaults).unwrap_or_default();
    node_of(json, &default_origin())
}

fn default_origin() -> ConfigurationOrigin {
    ConfigurationOrigin::new(ConfigurationLayer::Default, "".into(), None)
}

/// Sections that are there if the program serves HTTP.
const OF_THE_SERVER: [&str; 3] = ["server", "api", "health"];

/// Takes the sections away that nobody reads, and tells of each.
fn unknown(tree: &mut Node, declared: &[Declared]) -> Vec<ConfigurationProblem> {
    let NodeValue::Map(entries) = &mut tree.value else { return Vec::new() };
    let known = || Sections::NAMES.into_iter().chain(declared.iter().map(|it| it.name.as_str()));
    let strange: Vec<_> = entries.keys().filter(|key| !known().any(|it| it == *key)).cloned().collect();
    let taken = strange.into_iter().filter_map(|key| Some((entries.remove(&key)?.origin, key)));
    let told = taken.map(|(origin, key)| {
        let hint = match closest(&key, known()) {
            Some(it) => format!("did you mean `{it}`?"),
            None if OF_THE_SERVER.contains(&key.as_str()) => {
                "it belongs to `ddd-web`: declare it with `WebSettings::declare`".to_owned()
            }
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
