//! What the settings of an application say about policies, which belong to the process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::{ambient, catalogue::Policies};
use crate::{
    domain::{ConfigurationProblem, PolicyKind},
    ports::{Policy, PolicyChangeError},
};

/// Settings that override those of attributes, by the name of the policy and its kind.
pub type PolicyOverrides = BTreeMap<String, BTreeMap<PolicyKind, Map<String, Value>>>;

/// Settings of all policies of a kind whose attributes do not state them.
pub type PolicyDefaults = BTreeMap<PolicyKind, Map<String, Value>>;

/// What an application says about policies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PolicyWishes {
    pub(crate) overrides: PolicyOverrides,
    pub(crate) defaults: PolicyDefaults,
}

/// The wishes in force.
#[derive(Default)]
struct InForce(Mutex<Held>);

/// They are those of the first application that has any, as long as it, or another one that goes by them, is there.
#[derive(Default)]
struct Held {
    wishes: Option<PolicyWishes>,
    by: Vec<Holder>,
}

/// An application that goes by the wishes in force.
struct Holder {
    hold: Weak<PolicyHold>,
    /// Whether it wishes them itself.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only a reload asks"))]
    wishes: bool,
}

impl Held {
    fn is_held(&self) -> bool {
        self.by.iter().any(|it| it.hold.strong_count() > 0)
    }

    /// What follows for each policy from the wishes of one more application.
    fn changes_for(
        &self,
        policies: &Policies,
        wishes: &PolicyWishes,
    ) -> Result<Vec<Change>, Vec<ConfigurationProblem>> {
        match &self.wishes {
            Some(_) if self.is_held() && *wishes == PolicyWishes::default() => Ok(Vec::new()),
            Some(before) if self.is_held() => {
                let problems = differences(before, wishes);
                if problems.is_empty() { Ok(Vec::new()) } else { Err(problems) }
            }
            Some(before) => changes(policies, before, wishes),
            None => changes(policies, &PolicyWishes::default(), wishes),
        }
    }

    /// What another application than this one wishes.
    #[cfg(feature = "config")]
    fn wishes_of_others(&self, hold: &Arc<PolicyHold>) -> Option<&PolicyWishes> {
        let is_other = |it: &Holder| it.hold.upgrade().is_some_and(|it| !Arc::ptr_eq(&it, hold));
        self.wishes.as_ref().filter(|_| self.by.iter().any(|it| it.wishes && is_other(it)))
    }
}

/// Part of each application, which goes by the wishes in force. When the last one is gone, the next may wish something else.
#[derive(Debug)]
pub(crate) struct PolicyHold(());

/// A policy, and what is to be changed of it.
type Change = (&'static dyn Policy, Map<String, Value>);

/// Changes of policies, each checked, and not made yet.
#[derive(Debug)]
#[must_use = "nothing is changed until it is done"]
#[cfg(feature = "config")]
pub(crate) struct PolicyPlan {
    hold: Arc<PolicyHold>,
    wishes: PolicyWishes,
    changes: Vec<Change>,
}

/// Gives the policies the settings of an application.
///
/// A second application may wish the same, or nothing: then it takes the policies as they are. What applications wished that are
/// gone is undone first, where the new one does not wish it.
///
/// # Errors
/// What is wrong with them; then nothing is changed.
pub(crate) fn push(policies: &Policies, wishes: PolicyWishes) -> Result<Arc<PolicyHold>, Vec<ConfigurationProblem>> {
    let in_force = in_force();
    let mut held = in_force.0.lock();
    make(held.changes_for(policies, &wishes)?);
    let wishes = Some(wishes).filter(|it| *it != PolicyWishes::default());
    let has_wishes = wishes.is_some();
    if !held.is_held() || held.wishes.is_none() {
        held.wishes = wishes;
    }
    let hold = Arc::new(PolicyHold(()));
    held.by.retain(|it| it.hold.strong_count() > 0);
    held.by.push(Holder { hold: Arc::downgrade(&hold), wishes: has_wishes });
    Ok(hold)
}

/// What [`push`] would say against these wishes. Nothing is changed.
pub(crate) fn problems(policies: &Policies, wishes: &PolicyWishes) -> Vec<ConfigurationProblem> {
    in_force().0.lock().changes_for(policies, wishes).err().unwrap_or_default()
}

/// Checks other settings of an application for the policies, and changes nothing. What another application wishes stays.
///
/// # Errors
/// What is wrong with them.
#[cfg(feature = "config")]
pub(crate) fn plan(
    policies: &Policies,
    hold: &Arc<PolicyHold>,
    wishes: PolicyWishes,
) -> Result<PolicyPlan, Vec<ConfigurationProblem>> {
    let in_force = in_force();
    let held = in_force.0.lock();
    let changes = match held.wishes_of_others(hold) {
        Some(_) if wishes == PolicyWishes::default() => Vec::new(),
        Some(others) => {
            let problems = differences(others, &wishes);
            if !problems.is_empty() {
                return Err(problems);
            }
            Vec::new()
        }
        None => changes(policies, &held.wishes.clone().unwrap_or_default(), &wishes)?,
    };
    Ok(PolicyPlan { hold: hold.clone(), wishes, changes })
}

#[cfg(feature = "config")]
impl PolicyPlan {
    /// Makes the changes. They hold when this returns.
    pub(crate) fn carry_out(self) {
        let in_force = in_force();
        let mut held = in_force.0.lock();
        make(self.changes);
        let wishes = Some(self.wishes).filter(|it| *it != PolicyWishes::default());
        for it in held.by.iter_mut().filter(|it| it.hold.as_ptr() == Arc::as_ptr(&self.hold)) {
            it.wishes = wishes.is_some();
        }
        if held.wishes_of_others(&self.hold).is_none() {
            held.wishes = wishes;
        }
    }
}

/// What follows for each policy from other wishes.
fn changes(
    policies: &Policies,
    before: &PolicyWishes,
    wishes: &PolicyWishes,
) -> Result<Vec<Change>, Vec<ConfigurationProblem>> {
    let mut problems: Vec<_> = unknown(policies, wishes).collect();
    let mut changes = Vec::new();
    for policy in policies.iter() {
        let (then, now) = (before.about(policy), wishes.about(policy));
        if then == now {
            continue;
        }
        // What is no longer said is as the attribute says it.
        let mut change = policy.annotated();
        change.retain(|name, _| then.contains_key(name));
        change.extend(now);
        match policy.check(&change) {
            Ok(()) => changes.push((policy, change)),
            Err(error) => problems.push(refused(policy, wishes, &error)),
        }
    }
    problems.sort_by(|a, b| a.key.cmp(&b.key));
    if problems.is_empty() { Ok(changes) } else { Err(problems) }
}

fn make(changes: Vec<Change>) {
    for (policy, change) in changes {
        if let Err(error) = policy.change(&change) {
            // It was checked, so somebody changed the policy by hand in between, to what does not go together with this.
            let (name, kind) = (policy.site().name, policy.kind());
            tracing::error!(%error, "the policy `{name}.{kind}` was changed at the same time, and keeps its settings");
        }
    }
}

/// What a policy does not take.
fn refused(policy: &'static dyn Policy, wishes: &PolicyWishes, error: &PolicyChangeError) -> ConfigurationProblem {
    let (name, kind) = (policy.site().name, policy.kind());
    let is_own = wishes.overrides.get(name).is_some_and(|it| it.contains_key(&kind));
    let (above, whose) = match is_own {
        true => (format!("policies.{name}.{kind}"), "override"),
        false => (format!("policy_defaults.{kind}"), "are the defaults of"),
    };
    let setting = Some(error.setting.as_str()).filter(|it| !it.is_empty());
    let key = [above.as_str()].into_iter().chain(setting).collect::<Vec<_>>().join(".");
    let message = format!("settings {whose} policy `{name}.{kind}`: it cannot be changed so: {error}");
    ConfigurationProblem::new(None, key, message)
}

impl PolicyWishes {
    /// What is said about one policy.
    fn about(&self, policy: &'static dyn Policy) -> Map<String, Value> {
        let (site, kind) = (policy.site(), policy.kind());
        let mut said = self.defaults.get(&kind).cloned().unwrap_or_default();
        said.retain(|name, _| !site.stated.contains(&name.as_str()) && has_use(policy, name));
        let own = self.overrides.get(site.name).and_then(|it| it.get(&kind));
        said.extend(own.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        said
    }
}

/// Whether a default means something to a policy: only a bucket has a burst.
fn has_use(policy: &'static dyn Policy, setting: &str) -> bool {
    let is_bucket = || policy.annotated().get("strategy").and_then(Value::as_str) == Some("token_bucket");
    setting != "burst" || is_bucket()
}

/// Overrides of policies that are not there.
fn unknown(policies: &Policies, wishes: &PolicyWishes) -> impl Iterator<Item = ConfigurationProblem> {
    let all = wishes.overrides.iter().flat_map(|(name, kinds)| kinds.keys().map(move |kind| (name, *kind)));
    all.filter_map(|(name, kind)| {
        let error = policies.check(name, kind, &Map::new()).err()?;
        let message = format!("settings override policy `{name}.{kind}`: {error}");
        Some(ConfigurationProblem::new(None, format!("policies.{name}.{kind}"), message))
    })
}

fn in_force() -> Arc<InForce> {
    ambient::shared("overrides of policies", InForce::default)
}

fn differences(before: &PolicyWishes, now: &PolicyWishes) -> Vec<ConfigurationProblem> {
    let names = before.overrides.keys().chain(now.overrides.keys().filter(|it| !before.overrides.contains_key(*it)));
    let different = names.filter(|it| before.overrides.get(*it) != now.overrides.get(*it));
    let of_names = different.map(|name| {
        let message = format!(
            "settings override policy `{name}` in another way than those of an application that was built before, \
             and both have it in common; write the same in both, or leave it out of this one's"
        );
        ConfigurationProblem::new(None, format!("policies.{name}"), message)
    });
    let kinds = PolicyKind::ALL.into_iter().filter(|it| before.defaults.get(it) != now.defaults.get(it));
    let of_kinds = kinds.map(|kind| {
        let message = format!(
            "the defaults of `{kind}` are others than those of an application that was built before, and both have the \
             policies in common; write the same in both"
        );
        ConfigurationProblem::new(None, format!("policy_defaults.{kind}"), message)
    });
    of_names.chain(of_kinds).collect()
}
