/// Sections that were not read to their ends; all of them, if one is not known.
#[derive(Debug, Default)]
pub(super) struct Unread(pub(super) Vec<Option<String>>);

impl Unread {
    pub(super) fn has(&self, section: &str) -> bool {
        self.0.iter().any(|it| it.as_deref().is_none_or(|it| it == section))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
