//! Bounds on what one task may store.

/// The largest sizes that a store accepts, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The parameters, as JSON. Default 1 MiB.
    pub params: usize,
    /// The result, as JSON. Default 1 MiB.
    pub result: usize,
    /// The text of one attempt's error; longer ones are cut. Default 4 KiB.
    pub error: usize,
    /// The text of a progress report; longer ones are cut. Default 1 KiB.
    pub progress: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { params: 1 << 20, result: 1 << 20, error: 4 << 10, progress: 1 << 10 }
    }
}

/// `text`, cut to at most `limit` bytes at a character's edge, with `…` at the end if it was cut.
#[must_use]
pub fn truncated(mut text: String, limit: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= limit {
        return text;
    }
    let mut end = limit.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    if limit >= MARK.len() {
        text.push_str(MARK);
    }
    text
}
