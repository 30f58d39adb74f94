//! A changed step between priorities changes the place of all that waits with a priority. There may be millions of rows, so they are
//! written some at a time, while claims go on; whoever is interrupted, another one begins again and finds what is left.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{core::Core, error::Outcome, session::Session};

/// So many rows are looked at by one statement.
const PIECE: i64 = 2_000;

impl Core {
    /// Ranks what waits anew, if that is to be done, for about this time; whether there is more to do.
    pub(super) async fn rank_anew(self: &Arc<Self>, conn: &mut PgConnection, time: Duration) -> Outcome<bool> {
        let began = Instant::now();
        loop {
            let place = self.transact(conn, |session| Box::pin(session.rank_piece())).await?;
            // Not before it is committed: what is passed is not looked at again.
            *self.ranked.lock() = place.unwrap_or_default();
            if place.is_none() || began.elapsed() >= time {
                return Ok(place.is_some());
            }
        }
    }
}

impl Session<'_> {
    /// Notes the step between priorities. If there was another one, what waits is to be ranked anew.
    pub(super) async fn set_rank_step(&mut self, step: i64) -> Outcome<()> {
        // Of many that are the first, one is.
        let text = "INSERT INTO ddd.setting (name, value) VALUES ('rank_step', $1) ON CONFLICT (name) DO NOTHING";
        if sqlx::query(self.core.texts.of(text)).bind(step).execute(&mut *self.conn).await?.rows_affected() > 0 {
            return Ok(());
        }
        let text = "SELECT value FROM ddd.setting WHERE name = 'rank_step' FOR UPDATE";
        let before: i64 = sqlx::query_scalar(self.core.texts.of(text)).fetch_one(&mut *self.conn).await?;
        if before == step {
            return Ok(());
        }
        let text = "INSERT INTO ddd.setting (name, value) SELECT n, $1 FROM unnest($2::text[]) n \
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let names = &["rank_step", "rank_anew"][..];
        sqlx::query(self.core.texts.of(text)).bind(step).bind(names).execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Ranks the next rows, unless another process does. If there may be more: for which step, and after which task.
    async fn rank_piece(&mut self) -> Outcome<Option<(i64, Uuid)>> {
        let text = "SELECT pg_try_advisory_xact_lock(hashtextextended('ddd.rank', 0))";
        if !sqlx::query_scalar::<_, bool>(self.core.texts.of(text)).fetch_one(&mut *self.conn).await? {
            return Ok(None);
        }
        // Asked now that nobody else writes ranks: those of a step that is no longer meant must not be the last.
        let text = "SELECT value FROM ddd.setting WHERE name = 'rank_anew'";
        let step: Option<i64> = sqlx::query_scalar(self.core.texts.of(text)).fetch_optional(&mut *self.conn).await?;
        let Some(step) = step else { return Ok(None) };
        let after = Some(*self.core.ranked.lock()).filter(|it| it.0 == step).map_or(Uuid::nil(), |it| it.1);
        let text = "WITH seen AS MATERIALIZED (SELECT id FROM ddd.task WHERE id > $2 ORDER BY id LIMIT $3), \
            edge AS MATERIALIZED (SELECT count(*) AS n, (array_agg(id ORDER BY id DESC))[1] AS last FROM seen), \
            piece AS MATERIALIZED (SELECT id FROM ddd.task WHERE id = ANY(ARRAY(SELECT id FROM seen)) AND status <= 4 \
                AND priority <> 0 AND rank <> due - priority * $1 ORDER BY id FOR UPDATE), \
            changed AS (UPDATE ddd.task SET rank = due - priority * $1 WHERE id = ANY(ARRAY(SELECT id FROM piece))) \
            SELECT n, last FROM edge";
        let row =
            sqlx::query(self.core.texts.of(text)).bind(step).bind(after).bind(PIECE).fetch_one(&mut *self.conn).await?;
        let (seen, last): (i64, Option<Uuid>) = (row.try_get(0)?, row.try_get(1)?);
        if seen >= PIECE {
            return Ok(last.map(|it| (step, it)));
        }
        // Unless it was changed again meanwhile.
        let text = "DELETE FROM ddd.setting WHERE name = 'rank_anew' AND value = $1";
        sqlx::query(self.core.texts.of(text)).bind(step).execute(&mut *self.conn).await?;
        Ok(None)
    }
}
