//! What is different between two configurations, and what of that needs a restart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    explain::{Explained, shown_text},
    sections::Sections,
    whole::Configuration,
};
use crate::{
    application::Settings,
    domain::{ConfigurationLayer, ConfigurationProblem, Node, NodeValue},
};

/// What can change while the program runs: these settings, and all below those that end in a dot. The service's own sections can
/// as well; what follows from that, the service knows.
const LIVE: &[&str] = &[
    "log.level",
    "policies.",
    "policy_defaults.",
    "queues.",
    "tasks.crashes_until_alone",
    "tasks.crashes_until_failed",
    "tasks.definitions.",
    "tasks.failed_ttl",
    "tasks.history_max",
    "tasks.history_ttl",
    "tasks.idempotency_keys_max",
    "tasks.max_workers",
    "tasks.queues",
    "tasks.result_ttl",
    "tasks.results_max",
    "tasks.retry.",
    "tasks.timeout",
];

/// Whether a setting of the framework's can change while the program runs.
pub(crate) fn is_live(key: &str) -> bool {
    LIVE.iter().any(|it| key == *it || (it.ends_with('.') && key.starts_with(it)))
}

impl Configuration {
    /// The settings that are different from those of `before`, and cannot change while the program runs. Of tasks, the settings
    /// that code completed are compared.
    pub(crate) fn needing_restart(
        &self,
        before: Option<&Self>,
        settings: (&Settings, &Settings),
    ) -> Vec<ConfigurationProblem> {
        let (then, now) = (fixed(before, settings.0), fixed(before.map(|_| self), settings.1));
        // Code said all that there was, so what is not written now is not meant to change.
        let is_meant = |key: &str| {
            before.is_some() || self.tree.nearest(key).is_none_or(|it| it.origin.layer != ConfigurationLayer::Default)
        };
        let different = now.iter().filter(|(key, now)| then.get(*key) != Some(now) && is_meant(key));
        let problems = different.map(|(key, now)| {
            let then = then.get(key).map_or_else(|| "not set".to_owned(), |it| shown_text(key, it));
            let now = shown_text(key, now);
            let message =
                format!("it is `{then}`, and to become `{now}` it needs a restart; all else can change without");
            ConfigurationProblem::new(None, key.clone(), message)
        });
        let mut problems: Vec<_> = problems.collect();
        for key in before.map(|it| self.other_secrets(it)).unwrap_or_default() {
            if !problems.iter().any(|it| it.key.starts_with(&key)) {
                let message = "it is another secret than before, which needs a restart; all else can change without";
                problems.push(ConfigurationProblem::new(None, key, message));
            }
        }
        problems
    }

    /// The secrets in sections that cannot change whose values are different: as JSON, they all are `***`.
    fn other_secrets(&self, before: &Self) -> BTreeSet<String> {
        let is_fixed = |path: &&Vec<String>| path.first().is_some_and(|it| self.fixed.get(it).is_some());
        let paths = self.secrets.iter().chain(&before.secrets).filter(is_fixed);
        let different = paths.filter_map(|path| {
            let at = |tree: &Node, length: usize| tree.at(path[..length].iter().map(String::as_str)).map(bare);
            // What stands in a list has no name, so the list is compared.
            let length =
                (1..=path.len()).rev().find(|it| at(&self.tree, *it).or_else(|| at(&before.tree, *it)).is_some())?;
            (at(&self.tree, length) != at(&before.tree, length)).then(|| path[..length].join("."))
        });
        different.collect()
    }

    /// The settings that are different from those of `before`: name, old value, new value, and where that comes from. Secrets
    /// are not shown.
    pub(crate) fn changed_since(&self, before: Option<&Self>) -> Vec<(String, String, String, String)> {
        let Some(before) = before else { return Vec::new() };
        let (then, now) = (leaves(&before.tree), leaves(&self.tree));
        let (old, new) = (shown(before.explain()), shown(self.explain()));
        let keys = then.keys().chain(now.keys().filter(|it| !then.contains_key(*it)));
        let different = keys.filter(|it| then.get(*it) != now.get(*it));
        let told = different.map(|key| {
            let before = nearest(&old, key).map(|it| it.0.clone()).unwrap_or_default();
            let (after, origin) = nearest(&new, key).cloned().unwrap_or_default();
            (key.clone(), before, after, origin)
        });
        told.collect()
    }
}

fn shown(explained: Explained) -> BTreeMap<String, (String, String)> {
    explained.settings.into_iter().map(|it| (it.key, (it.value, it.origin))).collect()
}

/// What is shown of a setting, or of the group that hides it.
fn nearest<'a, T>(shown: &'a BTreeMap<String, T>, key: &str) -> Option<&'a T> {
    shown.get(key).or_else(|| nearest(shown, key.rsplit_once('.')?.0))
}

/// A value without where it comes from; what stands in it is text, as secrets are whatever they were written as.
fn bare(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Bool(it) => it.to_string().into(),
        NodeValue::Integer(it) => it.to_string().into(),
        NodeValue::Float(it) => it.to_string().into(),
        NodeValue::Text(it) | NodeValue::Untyped(it) => it.clone().into(),
        NodeValue::List(items) => items.iter().map(bare).collect(),
        NodeValue::Map(entries) => entries.iter().map(|(name, it)| (name.clone(), bare(it))).collect(),
    }
}

/// What is in force and cannot change, as text. Without a configuration, code has said all but the settings of tasks.
fn fixed(configuration: Option<&Configuration>, settings: &Settings) -> BTreeMap<String, String> {
    let mut sections = Sections::of(settings);
    if let Some(it) = configuration {
        (sections.app, sections.log, sections.store) =
            (it.sections.app.clone(), it.sections.log.clone(), it.sections.store.clone());
        sections.log.complete(&it.sections.log, it.sections.app.debug, it.profile());
    }
    let mut all = BTreeMap::new();
    collect(&serde_json::to_value(sections).unwrap_or_default(), "", &mut all);
    all.retain(|key, _| !is_live(key));
    if let Some(it) = configuration {
        // What is not written is the default, which `null` would not equal.
        all.insert("store.url".to_owned(), it.store_url().to_owned());
        collect(&it.fixed, "", &mut all);
    }
    all
}

fn collect(value: &Value, key: &str, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                let below = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                collect(value, &below, all);
            }
        }
        Value::Null => drop(all.insert(key.to_owned(), "not set".to_owned())),
        Value::String(it) => drop(all.insert(key.to_owned(), it.clone())),
        it => drop(all.insert(key.to_owned(), it.to_string())),
    }
}

/// Every value, by its name.
fn leaves(tree: &Node) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut left = vec![(String::new(), tree)];
    while let Some((key, node)) = left.pop() {
        match &node.value {
            NodeValue::Map(entries) => left.extend(
                entries
                    .iter()
                    .map(|(name, node)| (if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, node)),
            ),
            _ => drop(all.insert(key, bare(node))),
        }
    }
    all
}
