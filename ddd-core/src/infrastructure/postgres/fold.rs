use super::{error::Outcome, session::Session};

/// Fewer figures than this are not worth the work.
const FEW: i64 = 500;

impl Session<'_> {
    /// Adds up figures, if there are many and nobody else does. Ends of runs keep their time: to the second for some minutes, to
    /// ten minutes for a day. The others need none.
    pub(super) async fn fold(&mut self) -> Outcome<()> {
        const COUNT: &str = "SELECT count(*) FROM (SELECT FROM ddd.tally LIMIT 100000) t";
        const FOLD: &str = "\
            WITH own AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended('ddd.fold', 0)) AS it), \
            gone AS (DELETE FROM ddd.tally USING own WHERE own.it \
                RETURNING queue, kind, priority, was, becomes, second, n) \
            INSERT INTO ddd.tally (queue, kind, priority, was, becomes, second, n) \
            SELECT queue, kind, priority, was, becomes, CASE \
                WHEN becomes < 6 OR was = -2 OR second < $1 - 90000 THEN 0 \
                WHEN second > $1 - 120 THEN second ELSE second / 600 * 600 END AS at, sum(n) \
            FROM gone GROUP BY queue, kind, priority, was, becomes, at";
        let before: i64 = sqlx::query_scalar(self.core.texts.of(COUNT)).fetch_one(&mut *self.conn).await?;
        let folded_to = self.core.folded_to.load(std::sync::atomic::Ordering::Relaxed);
        if before < FEW.max(2 * folded_to) {
            return Ok(());
        }
        sqlx::query(self.core.texts.of(FOLD))
            .bind(self.now.as_micros().div_euclid(1_000_000))
            .execute(&mut *self.conn)
            .await?;
        let after: i64 = sqlx::query_scalar(self.core.texts.of(COUNT)).fetch_one(&mut *self.conn).await?;
        self.core.folded_to.store(after, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}
