use crate::ports::{StoreError, StoreErrorKind};

/// Which tables are the store's own: a user's transaction may be in another database, where there are tables of the same names. A
/// database, and what was drawn when the tables in it were made: a copy of a database differs in its name, another one in both.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) database: String,
    pub(super) token: i64,
}

impl Home {
    /// Whether a connection to this database, whose tables have this token, leads here. A transaction that sees all as it was before
    /// the tables were made finds no token.
    pub(super) fn check(&self, database: &str, token: Option<i64>) -> Result<(), StoreError> {
        if self.database == database && token.is_none_or(|it| it == self.token) {
            return Ok(());
        }
        Err(self.elsewhere(&format!("to other tables, in `{database}`")))
    }

    /// The error of a connection that leads there.
    pub(super) fn elsewhere(&self, place: &str) -> StoreError {
        let problem = format!(
            "the application keeps its tasks in the database `{}`, and this connection leads {place}",
            self.database
        );
        StoreError::new(StoreErrorKind::OtherStore, problem)
    }
}
