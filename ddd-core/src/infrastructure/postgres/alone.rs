//! Statements that stand alone, where their connection sets no limit of its own: each gets a transaction that does.

use sqlx::{AssertSqlSafe, PgConnection};

use super::{
    core::Core,
    error::{Outcome, Remedy, Trouble},
};

impl Core {
    /// Before a statement that commits by itself: begins a transaction with a limit, if the connection has none. Whether it did.
    pub(super) async fn open(&self, conn: &mut PgConnection) -> Outcome<bool> {
        if self.limit.is_set() {
            return Ok(false);
        }
        let limit = self.timeout.as_millis();
        let text = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {limit}"
        );
        sqlx::raw_sql(AssertSqlSafe(text)).execute(conn).await?;
        Ok(true)
    }

    /// After it, however it went.
    pub(super) async fn close<T>(
        &self,
        conn: &mut PgConnection,
        is_open: bool,
        answer: Result<T, impl Into<Trouble>>,
    ) -> Outcome<T> {
        match answer.map_err(Into::into) {
            Ok(answer) if is_open => Ok(sqlx::raw_sql("COMMIT").execute(conn).await.map(|_| answer)?),
            Err(trouble) if is_open && trouble.remedy != Remedy::Reconnect => {
                match sqlx::raw_sql("ROLLBACK").execute(conn).await {
                    Ok(_) => Err(trouble),
                    Err(_) => Err(Trouble { error: trouble.error, remedy: Remedy::Reconnect }),
                }
            }
            answer => answer,
        }
    }
}
