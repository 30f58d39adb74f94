use std::sync::Arc;

use serde_json::value::RawValue;

use crate::{domain::TaskStatus, ports::Watcher};

/// Who is to be told when a task's run ends: most often one, its submitter.
#[derive(Debug, Default)]
pub(super) enum Watchers {
    #[default]
    None,
    One(Arc<dyn Watcher>),
    #[allow(clippy::box_collection, reason = "a third word less in every record")]
    Many(Box<Vec<Arc<dyn Watcher>>>),
}

impl From<Option<Arc<dyn Watcher>>> for Watchers {
    fn from(watcher: Option<Arc<dyn Watcher>>) -> Self {
        watcher.map_or(Self::None, Self::One)
    }
}

impl Watchers {
    pub(super) fn add(&mut self, watcher: Arc<dyn Watcher>) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(watcher),
            Self::One(first) => Self::Many(Box::new(vec![first, watcher])),
            Self::Many(mut all) => {
                if all.len() == all.capacity() {
                    // Who looks at a task again and again must not fill the memory as long as it waits.
                    all.retain(|it| Arc::strong_count(it) > 1);
                }
                all.push(watcher);
                Self::Many(all)
            }
        };
    }

    pub(super) fn tell(&self, status: TaskStatus, result: Option<Arc<RawValue>>) {
        match self {
            Self::None => {}
            Self::One(watcher) => watcher.ended(status, result),
            Self::Many(all) => all.iter().for_each(|it| it.ended(status, result.clone())),
        }
    }
}
