use std::sync::atomic::Ordering;

use super::{error::Outcome, session::Session};

/// Fewer figures than this are not worth the work.
const FEW: i64 = 500;
/// So many figures are added up at once, so that it stays short however many there are.
const PIECE: i64 = 50_000;

impl Session<'_> {
    /// Adds up a piece of the figures, if there are many and nobody else does; whether there is more to do. Ends of runs keep
    /// their time: to the second for some minutes, to ten minutes for a day. The others need none.
    pub(super) async fn fold(&mut self) -> Outcome<bool> {
        const COUNT: &str = "SELECT count(*) FROM (SELECT FROM ddd.tally LIMIT $1) t";
        const FOLD: &str = "\
            WITH own AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended('ddd.fold', 0)) AS it), \
            gone AS (DELETE FROM ddd.tally USING own WHERE own.it \
                AND ctid = ANY(ARRAY(SELECT ctid FROM ddd.tally LIMIT $2)) \
                RETURNING queue, kind, priority, was, becomes, second, n), \
            kept AS (INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
                SELECT queue, kind, priority, was, becomes, CASE \
                    WHEN becomes < 6 OR was = -2 OR second < $1 - 90000 THEN 0 \
                    WHEN second > $1 - 120 THEN second ELSE second / 600 * 600 END AS at, sum(n) \
                FROM gone GROUP BY queue, kind, priority, was, becomes, at RETURNING n) \
            SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM kept)";
        let many = FEW.max(2 * self.core.folded_to.load(Ordering::Relaxed));
        let before: i64 = sqlx::query_scalar(self.core.texts.of(COUNT)).bind(many).fetch_one(&mut *self.conn).await?;
        if before < many {
            return Ok(false);
        }
        let (gone, kept): (i64, i64) = sqlx::query_as(self.core.texts.of(FOLD))
            .bind(self.now.as_micros().div_euclid(1_000_000))
            .bind(PIECE)
            .fetch_one(&mut *self.conn)
            .await?;
        // While it helps.
        let has_more = gone == PIECE && kept < PIECE / 2;
        if !has_more {
            let after: i64 =
                sqlx::query_scalar(self.core.texts.of(COUNT)).bind(i64::MAX).fetch_one(&mut *self.conn).await?;
            self.core.folded_to.store(after, Ordering::Relaxed);
        }
        Ok(has_more)
    }
}
