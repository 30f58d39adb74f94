use std::collections::HashMap;

use crate::domain::{Counts, Name};

/// One name and version of tasks, and the figures about them.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: Name,
    pub(super) version: u32,
    pub(super) now: Counts,
    pub(super) submitted: u64,
    pub(super) started: u64,
    pub(super) retried: u64,
    pub(super) finished: Counts,
}

/// All kinds, by a small number and by name.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    all: Vec<Kind>,
    by_name: HashMap<Name, Vec<u32>>,
    last: u32,
}

impl Kinds {
    #[allow(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 kinds")]
    pub(super) fn intern(&mut self, name: &Name, version: u32) -> u32 {
        if let Some(last) = self.all.get(self.last as usize)
            && last.version == version
            && last.name == *name
        {
            return self.last;
        }
        let versions = self.by_name.entry(name.clone()).or_default();
        let known = versions.iter().copied().find(|it| self.all[*it as usize].version == version);
        let number = known.unwrap_or_else(|| {
            let number = self.all.len() as u32;
            versions.push(number);
            self.all.push(Kind {
                name: name.clone(),
                version,
                now: Counts::default(),
                submitted: 0,
                started: 0,
                retried: 0,
                finished: Counts::default(),
            });
            number
        });
        self.last = number;
        number
    }

    pub(super) fn at(&self, number: u32) -> &Kind {
        &self.all[number as usize]
    }

    pub(super) fn at_mut(&mut self, number: u32) -> &mut Kind {
        &mut self.all[number as usize]
    }

    pub(super) fn all(&self) -> &[Kind] {
        &self.all
    }
}
