//! All function policies of the program: look at them, and change them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::PolicyKind,
    domain::closest,
    ports::{Forced, Policy, PolicyChangeError},
};

/// Every function policy of the program, known before its first call.
#[derive(Clone, Debug)]
pub struct Policies(Vec<&'static dyn Policy>);

/// A policy, as it now stands.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PolicyInfo {
    /// Its name.
    pub name: &'static str,
    /// Which attribute it comes from.
    pub kind: PolicyKind,
    /// The function that it stands on.
    pub function: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// How many policies of the same function stand outside of this one.
    pub position: u32,
    /// What the attribute says, filled up with defaults.
    pub annotated: Map<String, Value>,
    /// What is in force.
    pub effective: Map<String, Value>,
    /// What it has done so far.
    pub figures: Map<String, Value>,
}

/// A policy that could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No policy of this name is linked into this program.
    #[error("there is no policy `{name}`{}", .closest.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())]
    #[non_exhaustive]
    Unknown {
        /// The name.
        name: String,
        /// A name that is like it.
        closest: Option<&'static str>,
    },
    /// There is one of this name, and none of this kind.
    #[error("`{name}` has no policy of the kind `{kind}`; it has {present}")]
    #[non_exhaustive]
    NoSuchKind {
        /// The name.
        name: String,
        /// The kind.
        kind: PolicyKind,
        /// The kinds that there are.
        present: String,
    },
    /// The policy does not take the change.
    #[error("the policy `{name}.{kind}` cannot be changed so: {source}")]
    #[non_exhaustive]
    Refused {
        /// The name.
        name: String,
        /// The kind.
        kind: PolicyKind,
        /// What is wrong.
        source: PolicyChangeError,
    },
}

impl Policies {
    /// These policies.
    pub(crate) const fn new(all: Vec<&'static dyn Policy>) -> Self {
        Self(all)
    }

    /// All of them, as they now stand, by name and order of nesting.
    #[must_use]
    pub fn list(&self) -> Vec<PolicyInfo> {
        self.0.iter().map(|it| info(*it)).collect()
    }

    /// Those of this name, as they now stand.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Vec<PolicyInfo>, PolicyError> {
        Ok(self.named(name)?.into_iter().map(info).collect())
    }

    /// Changes settings of the policy of this name and kind, from now on: `{"limit": 60, "per": "1m"}`.
    ///
    /// # Errors
    /// There is none, or it does not take the settings; then nothing is changed.
    pub fn change(&self, name: &str, kind: PolicyKind, settings: &Map<String, Value>) -> Result<(), PolicyError> {
        self.each(name, Some(kind), |it| it.change(settings))
    }

    /// Whether [`Policies::change`] would take these settings. Nothing is changed.
    ///
    /// # Errors
    /// It would not.
    pub fn check(&self, name: &str, kind: PolicyKind, settings: &Map<String, Value>) -> Result<(), PolicyError> {
        self.each(name, Some(kind), |it| it.check(settings))
    }

    /// Gives the policies of this name (of this kind, if one is given) the settings of their attributes again, and puts
    /// their figures to zero.
    ///
    /// # Errors
    /// There is none.
    pub fn reset(&self, name: &str, kind: Option<PolicyKind>) -> Result<(), PolicyError> {
        self.each(name, kind, |it| {
            it.reset();
            Ok(())
        })
    }

    /// Lets the policies of this name (of this kind, if one is given) forget entries, windows and counts of failures.
    ///
    /// # Errors
    /// There is none.
    pub fn clear(&self, name: &str, kind: Option<PolicyKind>) -> Result<(), PolicyError> {
        self.each(name, kind, |it| {
            it.clear();
            Ok(())
        })
    }

    /// Holds the circuit breaker of this name in a state, or lets it go.
    ///
    /// # Errors
    /// There is none.
    pub fn force(&self, name: &str, forced: Forced) -> Result<(), PolicyError> {
        self.each(name, Some(PolicyKind::CircuitBreaker), |it| it.force(forced))
    }

    /// What is wrong with them, each in words: bad settings, and two functions whose policies have one name and a state
    /// each, so that nobody could tell them apart.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<_> = self.0.iter().flat_map(|it| own_problems(*it)).collect();
        let mut seen: HashMap<(&str, PolicyKind), &dyn Policy> = HashMap::new();
        for policy in &self.0 {
            let (kind, site) = (policy.kind(), policy.site());
            let is_shared = kind == PolicyKind::CircuitBreaker && site.is_named;
            let Some(other) = seen.insert((site.name, kind), *policy) else { continue };
            let both = format!("`#[{kind}]` at {site} and at {} are both named `{}`", other.site(), site.name);
            match is_shared {
                // Breakers of one name are one breaker.
                true if policy.annotated() == other.annotated() => {}
                true => problems.push(format!("{both}, so they are one, but their settings differ; write them alike")),
                false => problems.push(format!("{both}; write `name = \"…\"` in one of them")),
            }
        }
        problems
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static dyn Policy> + '_ {
        self.0.iter().copied()
    }

    fn named(&self, name: &str) -> Result<Vec<&'static dyn Policy>, PolicyError> {
        let found: Vec<_> = self.0.iter().copied().filter(|it| it.site().name == name).collect();
        if found.is_empty() {
            let closest = closest(name, self.0.iter().map(|it| it.site().name));
            return Err(PolicyError::Unknown { name: name.to_owned(), closest });
        }
        Ok(found)
    }

    fn each(
        &self,
        name: &str,
        kind: Option<PolicyKind>,
        act: impl Fn(&'static dyn Policy) -> Result<(), PolicyChangeError>,
    ) -> Result<(), PolicyError> {
        let named = self.named(name)?;
        let meant: Vec<_> = named.iter().filter(|it| kind.is_none_or(|kind| it.kind() == kind)).collect();
        if let (Some(kind), true) = (kind, meant.is_empty()) {
            let present: Vec<_> = named.iter().map(|it| format!("`{}`", it.kind())).collect();
            return Err(PolicyError::NoSuchKind { name: name.to_owned(), kind, present: present.join(", ") });
        }
        for policy in meant {
            act(*policy).map_err(|source| PolicyError::Refused {
                name: name.to_owned(),
                kind: policy.kind(),
                source,
            })?;
        }
        Ok(())
    }
}

fn own_problems(policy: &dyn Policy) -> impl Iterator<Item = String> {
    let (kind, site) = (policy.kind(), *policy.site());
    policy.problems().into_iter().map(move |it| format!("`#[{kind}]` of `{}` at {site}: {it}", site.name))
}

fn info(policy: &'static dyn Policy) -> PolicyInfo {
    let site = policy.site();
    PolicyInfo {
        name: site.name,
        kind: policy.kind(),
        function: site.function,
        file: site.file,
        line: site.line,
        position: site.position,
        annotated: policy.annotated(),
        effective: policy.effective(),
        figures: policy.figures(),
    }
}
