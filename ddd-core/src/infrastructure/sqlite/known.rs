use std::collections::HashMap;

use crate::{domain::Name, ports::KnownTask};

/// What a worker declared that it can run.
#[derive(Debug)]
pub(super) struct Known {
    /// Drawn anew at each declaration: another one in the file means that this is out of date.
    pub(super) revision: i64,
    versions: HashMap<Name, u32>,
    /// Whether it knows each kind, as far as that was asked.
    pub(super) kinds: HashMap<i64, bool>,
}

impl Known {
    pub(super) fn new(revision: i64, known: &[KnownTask]) -> Self {
        let mut versions = HashMap::new();
        for it in known {
            let version = versions.entry(it.name.clone()).or_insert(it.version);
            *version = it.version.max(*version);
        }
        Self { revision, versions, kinds: HashMap::new() }
    }

    pub(super) fn knows(&self, name: &Name, version: u32) -> bool {
        self.versions.get(name).is_some_and(|it| version <= *it)
    }
}
