use std::fmt;

/// A word that entries of a cache have in common, so that they can be invalidated together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// A tag from anything that can be written.
    #[must_use]
    pub fn new(tag: impl fmt::Display) -> Self {
        Self(tag.to_string().into_boxed_str())
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tag {
    fn from(tag: &str) -> Self {
        Self(tag.into())
    }
}

impl From<String> for Tag {
    fn from(tag: String) -> Self {
        Self(tag.into_boxed_str())
    }
}

impl From<&String> for Tag {
    fn from(tag: &String) -> Self {
        tag.as_str().into()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
