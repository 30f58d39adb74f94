//! Tasks that were written over connections which only know the statement for it.

use super::{error::Outcome, session::Session};
use crate::infrastructure::sql::from_text;

/// At most so many are taken in with one request, so that it stays short.
const TAKEN_AT_ONCE: usize = 1_000;

impl Session<'_> {
    /// Stores what lies in the inbox. It was accepted with its transaction, so no queue is too full for it.
    pub(super) fn take_in(&mut self) -> Outcome<()> {
        let texts = {
            let mut find = self.db.prepare_cached("SELECT id, task FROM ddd_inbox ORDER BY rowid LIMIT ?1")?;
            let rows =
                find.query_map([TAKEN_AT_ONCE], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        for (id, text) in texts {
            match from_text(&text) {
                Ok(task) => {
                    self.enqueue(&task, false)?;
                }
                // Not ours: nobody can run it, and it must not hold up the others.
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, id, "a row of ddd_inbox is no task");
                }
            }
            self.db.prepare_cached("DELETE FROM ddd_inbox WHERE id = ?1")?.execute([id])?;
        }
        Ok(())
    }
}
