//! Handing out tasks. Where nothing is limited and nobody is odd, one statement does it; else [`Session::claim`] looks at each.

use std::sync::Arc;

use sqlx::{PgConnection, Row as _};

use super::{
    claimed::{claimed_columns, numbers, read, take_chosen},
    core::Core,
    error::{Outcome, Remedy, Trouble, corrupt},
    numbers::{micros, size, time},
};
use crate::{
    domain::Timestamp,
    infrastructure::sql::Effects,
    ports::{ClaimRequest, Claims},
};

/// Takes the first of each queue by rank, if no queue is paused or limited, nothing is due among those that wait for their time,
/// and nothing waits that must run alone. Tells besides whether that was so, and when the next task is due.
const CLAIM: &str = concat!(
    "WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $3 AS now), \
     noted AS (UPDATE ddd.worker w SET seen_at = c.now, alive_until = greatest(w.alive_until, c.now + $2) FROM clock c \
         WHERE w.id = $1 AND (w.seen_at < c.now - 1000000 OR w.alive_until <= c.now)), \
     known AS MATERIALIZED (SELECT array_agg(k.number) AS kinds FROM ddd.known n \
         JOIN ddd.kind k ON k.name = n.name AND k.version <= n.version WHERE n.worker = $1), \
     timer AS MATERIALIZED (SELECT due FROM ddd.task WHERE status IN (1, 2) ORDER BY due LIMIT 1), \
     line AS MATERIALIZED (SELECT q.number, q.limited, u.most FROM unnest($4::integer[], $5::bigint[]) u(number, most) \
         JOIN ddd.queue q ON q.number = u.number WHERE NOT q.paused AND u.most > 0), \
     gate AS MATERIALIZED (SELECT \
         EXISTS (SELECT FROM timer, clock c WHERE timer.due <= c.now) \
         OR EXISTS (SELECT FROM line WHERE limited) \
         OR EXISTS (SELECT FROM ddd.task a WHERE a.status = 0 AND a.alone AND a.queue = ANY($4)) AS is_odd), \
     head AS MATERIALIZED (SELECT t.id, t.rank FROM line l CROSS JOIN gate g CROSS JOIN known k CROSS JOIN LATERAL \
         (SELECT id, rank FROM ddd.task WHERE status = 0 AND queue = l.number AND kind = ANY(k.kinds) \
          ORDER BY rank, id LIMIT least(l.most, $6) FOR UPDATE SKIP LOCKED) t WHERE NOT g.is_odd), \
     chosen AS MATERIALIZED (SELECT id FROM head ORDER BY rank, id LIMIT $6), ",
    take_chosen!(),
    "SELECT ",
    claimed_columns!(),
    ", (SELECT due FROM timer), (SELECT is_odd FROM gate), \
       EXISTS (SELECT FROM ddd.kind s CROSS JOIN known k WHERE k.kinds IS NULL OR s.number <> ALL(k.kinds)) \
     FROM clock c LEFT JOIN taken t ON true"
);

/// A claim makes at most so many due tasks ready, so that it stays short.
const PROMOTED: usize = 256;

/// Trouble that nobody is told of: the connection is used on.
async fn set_aside(conn: &mut PgConnection, trouble: Option<Trouble>) {
    if trouble.is_some_and(|it| it.remedy == Remedy::Reconnect) {
        // It may stand in the middle of the transaction. If it is broken, the pool finds that out.
        let _ = sqlx::raw_sql("ROLLBACK").execute(conn).await;
    }
}

impl Core {
    pub(super) async fn claim(self: &Arc<Self>, conn: &mut PgConnection, request: &ClaimRequest) -> Outcome<Claims> {
        let unknown = request.queues.iter().any(|it| self.names.queue(&it.0).is_none());
        if unknown {
            self.names.read(conn, &self.texts).await?;
        }
        let (mut queues, mut most) = (Vec::new(), Vec::new());
        for (name, at_most) in request.queues.iter() {
            if let Some(number) = self.names.queue(name).filter(|it| !queues.contains(it)) {
                queues.push(number);
                most.push(size(*at_most));
            }
        }
        let is_open = self.open(conn).await?;
        let rows = sqlx::query(self.texts.of(CLAIM))
            .bind(request.worker.as_uuid())
            .bind(micros(request.lease))
            .bind(self.offset())
            .bind(queues)
            .bind(most)
            .bind(size(request.max))
            .fetch_all(&mut *conn)
            .await;
        let rows = self.close(conn, is_open, rows).await?;
        let first = rows.first().ok_or_else(|| corrupt("a claim has no answer"))?;
        let now: Timestamp = time(first.try_get(14)?);
        let next_due = first.try_get::<Option<i64>, _>(15)?.map(time);
        let (is_odd, has_strangers): (bool, bool) = (first.try_get(16)?, first.try_get(17)?);
        let is_any_due = next_due.is_some_and(|it| it <= now);
        let taken = numbers(&rows)?;
        if is_odd {
            return self.claim_each(conn, request.clone(), is_any_due).await;
        }
        let mut claims = Claims { next_in: next_due.map(|it| it.since(now)), ..Claims::default() };
        if !taken.is_empty() {
            if !self.names.hold(taken.iter().map(|it| it.0), taken.iter().map(|it| it.1)) {
                self.names.read(conn, &self.texts).await?;
            }
            let mut fx = Effects { is_heard: self.are_transitions_wanted(), ..Effects::default() };
            claims.tasks = read(&rows, self, &mut fx)?;
            let turn = self.turns.enter(fx.transitions.iter().map(|it| it.id));
            turn.come().await;
            self.tell(&mut fx, &[]);
        }
        let missing = request.max.saturating_sub(claims.tasks.len());
        if has_strangers && missing > 0 {
            // What this worker does not know may have to be parked.
            let mut rest = request.clone();
            rest.max = missing;
            rest.idle &= claims.tasks.is_empty();
            match self.claim_each(&mut *conn, rest, is_any_due).await {
                Ok(more) => {
                    claims.tasks.extend(more.tasks);
                    (claims.next_in, claims.alone, claims.alone_waiting) =
                        (more.next_in, more.alone, more.alone_waiting);
                }
                // What was taken is taken.
                Err(trouble) if !claims.tasks.is_empty() => set_aside(conn, Some(trouble)).await,
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(claims)
    }

    /// In short transactions, each with its own locks: what is due, if anything is; what is handed out; what nobody knows.
    async fn claim_each(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        request: ClaimRequest,
        is_any_due: bool,
    ) -> Outcome<Claims> {
        if is_any_due {
            self.transact(conn, |session| Box::pin(session.promote(PROMOTED))).await?;
        }
        let (claims, strangers) = self
            .transact(conn, move |session| {
                let request = request.clone();
                Box::pin(async move { session.claim(&request).await })
            })
            .await?;
        if !strangers.is_empty() {
            let parked = self
                .transact(conn, move |session| {
                    let strangers = strangers.clone();
                    Box::pin(async move { session.park(&strangers).await })
                })
                .await;
            // What was handed out is handed out. Upkeep parks as well.
            set_aside(conn, parked.err()).await;
        }
        Ok(claims)
    }
}
