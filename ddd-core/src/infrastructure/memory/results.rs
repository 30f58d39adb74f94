use std::sync::Arc;

use serde_json::value::RawValue;
use slab::Slab;

/// Stands for: this entry has no result.
pub(super) const NO_RESULT: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    key: u32,
    older: u32,
    newer: u32,
    result: Arc<RawValue>,
}

/// The results of entries, the least recently used first.
#[derive(Debug)]
pub(super) struct Results {
    nodes: Slab<Node>,
    oldest: u32,
    newest: u32,
}

impl Default for Results {
    fn default() -> Self {
        Self { nodes: Slab::new(), oldest: NO_RESULT, newest: NO_RESULT }
    }
}

impl Results {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the result of an entry as the most recently used; its place is to be kept in the entry.
    #[allow(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 results")]
    pub(super) fn add(&mut self, key: u32, result: Arc<RawValue>) -> u32 {
        let place = self.nodes.insert(Node { key, older: NO_RESULT, newer: NO_RESULT, result }) as u32;
        self.link(place);
        place
    }

    pub(super) fn touch(&mut self, place: u32) {
        if place != self.newest && place != NO_RESULT {
            self.unlink(place);
            self.link(place);
        }
    }

    pub(super) fn get(&self, place: u32) -> Option<&Arc<RawValue>> {
        self.nodes.get(place as usize).map(|it| &it.result)
    }

    pub(super) fn remove(&mut self, place: u32) -> Option<Arc<RawValue>> {
        if place == NO_RESULT {
            return None;
        }
        self.unlink(place);
        Some(self.nodes.remove(place as usize).result)
    }

    /// The entry whose result was not used for the longest time.
    pub(super) fn oldest(&self) -> Option<u32> {
        self.nodes.get(self.oldest as usize).map(|it| it.key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().map(|(_, node)| node.key)
    }

    fn link(&mut self, place: u32) {
        let newest = std::mem::replace(&mut self.newest, place);
        let node = &mut self.nodes[place as usize];
        node.older = newest;
        node.newer = NO_RESULT;
        match self.nodes.get_mut(newest as usize) {
            Some(it) => it.newer = place,
            None => self.oldest = place,
        }
    }

    fn unlink(&mut self, place: u32) {
        let Node { older, newer, .. } = &self.nodes[place as usize];
        let (older, newer) = (*older, *newer);
        match self.nodes.get_mut(older as usize) {
            Some(it) => it.newer = newer,
            None => self.oldest = newer,
        }
        match self.nodes.get_mut(newer as usize) {
            Some(it) => it.older = older,
            None => self.newest = older,
        }
    }
}
