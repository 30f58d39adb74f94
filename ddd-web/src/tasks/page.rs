//! Which part of a list is asked for.

use ddd_core::{Cursor, Filter};
use sha2::{Digest as _, Sha256};

use crate::{
    problem::{Fault, Problem, codes},
    request::Query,
};

/// Which part of a list is asked for.
#[derive(Debug)]
pub(super) struct PageRequest {
    pub(super) limit: usize,
    /// How many are left out; said, even if it is none, it means that pages are full.
    pub(super) offset: Option<usize>,
    cursor: Option<String>,
}

const LIMIT: usize = 50;
const MOST: usize = 200;
/// What is skipped must be read, so a long way is gone with cursors.
const LARGEST_OFFSET: usize = 1_000;

impl PageRequest {
    /// Reads the parameters; what is wrong with them is noted in the query.
    pub(super) fn read(query: &mut Query) -> Self {
        let limit = query.number("limit", 1..=MOST).unwrap_or(LIMIT);
        let offset = query.number("offset", 0..=LARGEST_OFFSET);
        let cursor = query.read("cursor", Ok);
        if offset.is_some() && cursor.is_some() {
            query.fault("offset", "cannot be said with `cursor`");
        }
        Self { limit, offset, cursor }
    }

    /// Where the page begins in the list that `filter` means.
    ///
    /// # Errors
    /// The cursor is none, or is one of another list.
    pub(super) fn cursor(&self, filter: &Filter) -> Result<Option<Cursor>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        decoded(text, filter).map(Some).ok_or_else(|| {
            Problem::of(&codes::INVALID_CURSOR)
                .detail("begin again without `cursor`; it holds only for the filter that it was given with")
                .fault(Fault::in_query("cursor", "does not belong to this query"))
        })
    }
}

/// The cursor as a text that is good for this filter only.
pub(super) fn encoded(cursor: Cursor, filter: &Filter) -> String {
    format!("{:032x}{}", cursor.0.as_u128(), seal(cursor, filter))
}

fn decoded(text: &str, filter: &Filter) -> Option<Cursor> {
    let (id, rest) = text.split_at_checked(32)?;
    let cursor = Cursor(id.parse().ok()?);
    (rest == seal(cursor, filter)).then_some(cursor)
}

/// What binds a cursor to its filter. It protects from mistakes: what a caller may see does not depend on the cursor.
fn seal(cursor: Cursor, filter: &Filter) -> String {
    let mut digest = Sha256::new();
    digest.update(cursor.0.as_u128().to_be_bytes());
    digest.update(serde_json::to_vec(filter).unwrap_or_default());
    digest.finalize()[..8].iter().map(|it| format!("{it:02x}")).collect()
}
