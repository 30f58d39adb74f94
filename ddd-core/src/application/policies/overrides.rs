//! What the settings of an application say about policies, which belong to the process.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::{ambient, catalogue::Policies};
use crate::domain::PolicyKind;

/// Settings that override those of attributes, by the name of the policy and its kind.
pub type PolicyOverrides = BTreeMap<String, BTreeMap<PolicyKind, Map<String, Value>>>;

/// The overrides in force: those of the first application that has any.
#[derive(Default)]
struct InForce(Mutex<Option<PolicyOverrides>>);

/// Gives the policies the settings of an application; answers with what is wrong with them, and then changes nothing.
///
/// A second application may have the same overrides, or none: then it takes the policies as they are.
pub(crate) fn push(policies: &Policies, overrides: &PolicyOverrides) -> Vec<String> {
    if overrides.is_empty() {
        return Vec::new();
    }
    let in_force = ambient::shared("overrides of policies", InForce::default);
    let mut in_force = in_force.0.lock();
    if let Some(before) = &*in_force {
        return differences(before, overrides);
    }
    let all = || overrides.iter().flat_map(|(name, kinds)| kinds.iter().map(move |(kind, it)| (name, *kind, it)));
    let changed = all().map(|(name, kind, settings)| (name, kind, policies.change(name, kind, settings)));
    let changed: Vec<_> = changed.collect();
    let problems: Vec<_> = changed
        .iter()
        .filter_map(|(name, kind, result)| {
            Some(format!("settings override policy `{name}.{kind}`: {}", result.as_ref().err()?))
        })
        .collect();
    if problems.is_empty() {
        *in_force = Some(overrides.clone());
        return problems;
    }
    for (name, kind, _) in changed.into_iter().filter(|it| it.2.is_ok()) {
        // It was there to be changed, so it is there to be reset.
        let _ = policies.reset(name, Some(kind));
    }
    problems
}

fn differences(before: &PolicyOverrides, now: &PolicyOverrides) -> Vec<String> {
    let names = || before.keys().chain(now.keys().filter(|it| !before.contains_key(*it)));
    let different = names().filter(|it| before.get(*it) != now.get(*it));
    different
        .map(|name| {
            format!(
                "settings override policy `{name}` in another way than those of an application that was built before, \
                 and both have it in common; write the same in both, or leave it out of this one's"
            )
        })
        .collect()
}
