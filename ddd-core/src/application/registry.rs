//! Every definition of the program, with its effective settings.

use std::{collections::HashMap, sync::Arc, time::Duration};

use foldhash::fast::FixedState;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::{InForce, Settings, TaskOverrides, meters::Meters};
use crate::{
    domain::{ConfigurationProblem, Name, Priority, Retry, ScheduleOption, Until, closest},
    ports::{Definition, KnownTask, Schemas},
};

/// Looked into twice for each task. Its names are the program's own, so nobody can choose ones that collide.
type ByName = HashMap<&'static str, Arc<Registered>, FixedState>;

/// Every definition of the program, known before its first call.
#[derive(Clone, Debug)]
pub struct Registry {
    by_name: Arc<ByName>,
    sorted: Arc<[Arc<Registered>]>,
}

/// A definition, with the settings that are in force.
#[derive(Debug)]
#[non_exhaustive]
pub struct Registered {
    /// What the attribute registered.
    pub definition: &'static Definition,
    /// Its name.
    pub name: Name,
    /// What is in force: the attribute, overridden by configuration, filled up with defaults. A reload of the configuration
    /// changes it.
    pub settings: InForce<TaskSettings>,
    /// What is counted of its tasks.
    pub(crate) meters: Meters,
}

/// The settings of a definition that are in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskSettings {
    /// The queue.
    pub queue: Name,
    /// The priority.
    pub priority: Priority,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Retries.
    pub retry: Retry,
    /// How long the result is kept.
    pub result_ttl: Duration,
    /// How many tasks of one concurrency key may be ready or running at once.
    pub concurrency: Option<u32>,
    /// Until when it is unique.
    #[serde(skip)]
    pub unique: Option<Until>,
}

impl Registry {
    /// The given definitions under the given settings.
    ///
    /// # Errors
    /// What is wrong with them, all at once: names used twice with both places, and overrides of unknown names.
    pub fn new(definitions: &[&'static Definition], settings: &Settings) -> Result<Self, Vec<String>> {
        let (registry, problems) = Self::collect(definitions, settings);
        if problems.is_empty() { Ok(registry) } else { Err(problems.into_iter().map(|it| it.message).collect()) }
    }

    /// The given definitions, and what is wrong with them.
    pub(crate) fn collect(
        definitions: &[&'static Definition],
        settings: &Settings,
    ) -> (Self, Vec<ConfigurationProblem>) {
        let mut problems = Vec::new();
        let mut by_name = ByName::default();
        for definition in definitions {
            let overrides = settings.overrides.get(definition.name);
            let registered = Arc::new(Registered {
                definition,
                name: Name::new(definition.name),
                settings: InForce::new(effective(definition, overrides, settings)),
                meters: Meters::of(definition.name),
            });
            if overrides.and_then(|it| it.concurrency).is_some_and(|it| it > 0)
                && definition.options.concurrency.is_none()
            {
                let message = format!(
                    "settings override `concurrency` of task `{}` at {}, which has no key to count by; write `concurrency(…)` \
                     in its attribute, or limit its queue",
                    definition.name,
                    definition.place(),
                );
                problems.push(overriding(&format!("{}.concurrency", definition.name), message));
            }
            if let Some(other) = by_name.get(definition.name) {
                // A remote declaration may stand beside the body that it declares.
                if other.definition.is_remote() == definition.is_remote() {
                    let message = format!(
                        "two tasks are named `{}`: at {} and at {}; give one of them another name, as in `#[task(\"other_name\")]`",
                        definition.name,
                        other.definition.place(),
                        definition.place(),
                    );
                    problems.push(ConfigurationProblem::new(None, "", message));
                    continue;
                }
                if definition.is_remote() {
                    continue;
                }
            }
            by_name.insert(definition.name, registered);
        }
        for name in settings.overrides.keys().filter(|it| !by_name.contains_key(it.as_str())) {
            let hint =
                closest(name, by_name.keys().copied()).map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
            let message = format!("settings override a task `{name}`, which is not linked into this program{hint}");
            problems.push(overriding(name, message));
        }
        problems.sort_by(|a, b| a.message.cmp(&b.message));
        let mut sorted: Vec<_> = by_name.values().cloned().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        (Self { by_name: Arc::new(by_name), sorted: sorted.into() }, problems)
    }

    /// The definition of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Registered> {
        self.by_name.get(name).map(AsRef::as_ref)
    }

    /// The same for one of many of which most are like the one before them, which is `last`.
    pub(crate) fn find_again<'a>(&'a self, last: &mut Option<&'a Registered>, name: &Name) -> Option<&'a Registered> {
        if last.is_none_or(|it| it.name != *name) {
            *last = self.find(name);
        }
        *last
    }

    /// All definitions, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.sorted.iter().map(AsRef::as_ref)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Those with `text` in their name, documentation, category or tags, whatever the case.
    pub fn search<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a Registered> + use<'a> {
        let text = text.to_owned();
        self.iter().filter(move |it| it.mentions(&text))
    }

    /// Those of a category.
    pub fn in_category<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a Registered> {
        self.iter().filter(move |it| it.definition.options.category == Some(category))
    }

    /// Those with a tag.
    pub fn with_tag<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Registered> {
        self.iter().filter(move |it| it.definition.options.tags.contains(&tag))
    }

    /// All of it as JSON: names, places, settings, schemas.
    #[must_use]
    pub fn export(&self) -> serde_json::Value {
        serde_json::Value::Array(self.iter().map(Registered::export).collect())
    }

    /// Takes the settings of definitions over from `other`, which is the same program's.
    #[cfg(feature = "config")]
    pub(crate) fn adopt(&self, other: &Self) {
        for registered in self.iter() {
            if let Some(other) = other.find(registered.definition.name) {
                registered.settings.set((*other.settings).clone());
            }
        }
    }

    /// The name that is most like `name`, if one is close.
    pub(crate) fn closest(&self, name: &str) -> Option<&'static str> {
        closest(name, self.by_name.keys().copied())
    }

    /// What a worker with this registry can run.
    pub(crate) fn known(&self) -> Vec<KnownTask> {
        let local = self.iter().filter(|it| !it.definition.is_remote());
        local.map(|it| KnownTask { name: it.name.clone(), version: it.definition.options.version }).collect()
    }
}

impl Registered {
    /// Whether `text` is in its name, documentation, category or tags, whatever the case.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let options = &self.definition.options;
        let texts = [self.definition.name, self.definition.doc, options.category.unwrap_or_default()];
        texts.iter().chain(options.tags).any(|it| it.to_lowercase().contains(&text))
    }

    /// The JSON Schemas of parameters and result, each complete in itself.
    #[must_use]
    pub fn schemas(&self) -> Schemas {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut schemas = (self.definition.schemas)(&mut generator);
        let definitions = generator.take_definitions(true);
        if !definitions.is_empty() {
            for schema in [&mut schemas.params, &mut schemas.result] {
                if serde_json::to_string(schema).is_ok_and(|it| it.contains("\"#/$defs/")) {
                    schema.insert("$defs".to_owned(), serde_json::Value::Object(definitions.clone()));
                }
            }
        }
        schemas
    }

    /// All of it as JSON.
    #[must_use]
    pub fn export(&self) -> serde_json::Value {
        let definition = self.definition;
        let options = &definition.options;
        let schemas = self.schemas();
        let schedule = options.schedule.map(|it| match it {
            ScheduleOption::Cron { expression, time_zone } => {
                serde_json::json!({ "cron": expression, "time_zone": time_zone })
            }
            ScheduleOption::Every(period) => serde_json::json!({ "every": format!("{period:?}") }),
        });
        serde_json::json!({
            "name": definition.name,
            "doc": definition.doc,
            "module": definition.module,
            "file": definition.file,
            "line": definition.line,
            "body": if definition.is_remote() { "remote" } else if definition.is_blocking() { "blocking" } else { "async" },
            "version": options.version,
            "category": options.category,
            "tags": options.tags,
            "internal": options.internal,
            "schedule": schedule,
            "settings": self.settings,
            "params": schemas.params,
            "result": schemas.result,
            "dependencies": definition.dependencies.iter().map(|it| (it.type_name)()).collect::<Vec<_>>(),
            "secrets": definition.secrets,
        })
    }
}

/// A problem of what overrides the attribute of a task.
fn overriding(key: &str, message: String) -> ConfigurationProblem {
    ConfigurationProblem::new(None, format!("tasks.definitions.{key}"), message)
}

fn effective(definition: &Definition, overrides: Option<&TaskOverrides>, settings: &Settings) -> TaskSettings {
    let options = &definition.options;
    let none = TaskOverrides::default();
    let over = overrides.unwrap_or(&none);
    TaskSettings {
        queue: over.queue.clone().unwrap_or_else(|| Name::new(options.queue)),
        priority: over.priority.unwrap_or(options.priority),
        timeout: over.timeout.or(options.timeout).unwrap_or(settings.timeout),
        retry: over.retry.or(options.retry).unwrap_or(settings.retry),
        result_ttl: over.result_ttl.or(options.result_ttl).unwrap_or(settings.result_ttl),
        concurrency: over.concurrency.or(options.concurrency),
        unique: options.unique,
    }
}
