use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

use crate::domain::Tag;

/// The generations of the tags that entries and running fills carry. What nobody carries is forgotten.
#[derive(Debug, Default)]
pub(super) struct Tags(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    generations: HashMap<Tag, Weak<AtomicU64>>,
    /// How many there may be before those that nobody carries are looked for.
    room: usize,
}

/// A tag's generation when a fill began.
#[derive(Debug)]
pub(super) struct Mark {
    generation: Arc<AtomicU64>,
    seen: u64,
}

impl Mark {
    pub(super) fn is_current(&self) -> bool {
        self.generation.load(Ordering::Acquire) == self.seen
    }
}

impl Tags {
    /// The present generations of these tags.
    pub(super) fn marks(&self, tags: Vec<Tag>) -> Box<[Mark]> {
        if tags.is_empty() {
            return Box::default();
        }
        let mut known = self.0.lock();
        tags.into_iter().map(|tag| known.mark(tag)).collect()
    }

    /// Ends the present generation of a tag.
    pub(super) fn invalidate(&self, tag: &Tag) {
        if let Some(generation) = self.0.lock().generations.get(tag).and_then(Weak::upgrade) {
            generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// How many tags are known.
    pub(super) fn len(&self) -> usize {
        self.0.lock().generations.len()
    }
}

impl Known {
    fn mark(&mut self, tag: Tag) -> Mark {
        const LEAST_ROOM: usize = 64;
        if let Some(generation) = self.generations.get(&tag).and_then(Weak::upgrade) {
            let seen = generation.load(Ordering::Acquire);
            return Mark { generation, seen };
        }
        if self.generations.len() >= self.room {
            self.generations.retain(|_, it| it.strong_count() > 0);
            self.room = (2 * self.generations.len()).max(LEAST_ROOM);
        }
        let generation = Arc::new(AtomicU64::new(0));
        self.generations.insert(tag, Arc::downgrade(&generation));
        Mark { generation, seen: 0 }
    }
}
