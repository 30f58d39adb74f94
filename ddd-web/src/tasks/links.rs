use ddd_core::TaskId;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// Where more about a task is: its paths below `base`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    base: &'a str,
    id: TaskId,
}

impl<'a> Links<'a> {
    pub(crate) const fn new(base: &'a str, id: TaskId) -> Self {
        Self { base, id }
    }

    /// The path of the task itself.
    pub(crate) fn record(&self) -> String {
        let mut id = [0; 36];
        let id: &str = self.id.as_uuid().hyphenated().encode_lower(&mut id);
        let mut path = String::with_capacity(self.base.len() + 64);
        for part in [self.base, "/tasks/", id] {
            path.push_str(part);
        }
        path
    }
}

impl Serialize for Links<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut path = self.record();
        let length = path.len();
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("self", &path)?;
        for part in ["status", "result", "stream"] {
            path.truncate(length);
            path.push('/');
            path.push_str(part);
            map.serialize_entry(part, &path)?;
        }
        map.end()
    }
}
