use std::sync::Arc;

use sqlx::{PgConnection, Row as _};

use super::{batch::LOCKS_AT_ONCE, core::Core, error::Outcome};
use crate::ports::Reaped;

/// What upkeep has to do, beyond what it always does.
struct ToDo {
    is_due: bool,
    is_lost: bool,
    is_parked: bool,
    is_blocked: bool,
    is_ranked_anew: bool,
}

impl Core {
    /// Upkeep, in short transactions: nobody waits for long, what one of them has done stays done, and each takes its own locks.
    pub(super) async fn reap(self: &Arc<Self>, conn: &mut PgConnection, max: usize) -> Outcome<Reaped> {
        self.keep_up(conn).await?;
        let to_do = self.to_do(conn).await?;
        let mut reaped = Reaped::default();
        // So many rows, because each may have a key of its own.
        let keyed = max.min(LOCKS_AT_ONCE);
        if to_do.is_due {
            let mut left = max;
            loop {
                let these = left.min(keyed);
                reaped.more = self.transact(conn, move |session| Box::pin(session.promote(these))).await?;
                left -= these;
                if !reaped.more || left == 0 {
                    break;
                }
            }
        }
        if to_do.is_lost {
            let recovered = self
                .transact(conn, move |session| {
                    Box::pin(async move {
                        let mut reaped = Reaped::default();
                        session.recover(keyed, &mut reaped).await?;
                        Ok(reaped)
                    })
                })
                .await?;
            reaped = Reaped { more: reaped.more | recovered.more, ..recovered };
        }
        if to_do.is_parked {
            // Who parked a task may not have seen the worker that declared itself in this moment, nor it the task.
            let unparked = self.transact(conn, move |session| Box::pin(session.unpark(keyed))).await?;
            reaped.more |= max > 0 && unparked == keyed;
        }
        let parked = self.transact(conn, move |session| Box::pin(session.park_unknown(keyed))).await?;
        reaped.more |= max > 0 && parked == keyed;
        if to_do.is_blocked {
            self.transact(conn, move |session| Box::pin(session.admit_forgotten(keyed))).await?;
        }
        let (pruned, has_more) = self
            .transact(conn, move |session| {
                Box::pin(async move {
                    let pruned = session.prune(max).await?;
                    let has_more = session.expire(max).await?;
                    session.forget_dead().await?;
                    Ok((pruned, has_more))
                })
            })
            .await?;
        reaped.pruned = pruned;
        reaped.more |= has_more || (max > 0 && pruned == max);
        if to_do.is_ranked_anew {
            reaped.more |= self.rank_anew(conn, self.timeout / 8).await?;
        }
        reaped.more |= self.transact(conn, |session| Box::pin(session.fold())).await?;
        self.vacuum_what_is_due(conn).await;
        Ok(reaped)
    }

    /// What there is to do: most often nothing, and one look is enough to know it.
    async fn to_do(&self, conn: &mut PgConnection) -> Outcome<ToDo> {
        let text = "WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $1 AS now) \
            SELECT EXISTS (SELECT FROM ddd.task, clock WHERE status IN (1, 2) AND due <= now), \
            EXISTS (SELECT FROM ddd.task, clock WHERE lease_until <= now), \
            EXISTS (SELECT FROM ddd.task WHERE status = 4), EXISTS (SELECT FROM ddd.task WHERE status = 3 AND NOT permit), \
            EXISTS (SELECT FROM ddd.setting WHERE name = 'rank_anew')";
        let is_open = self.open(conn).await?;
        let row = sqlx::query(self.texts.of(text)).bind(self.offset()).fetch_one(&mut *conn).await;
        let row = self.close(conn, is_open, row).await?;
        Ok(ToDo {
            is_due: row.try_get(0)?,
            is_lost: row.try_get(1)?,
            is_parked: row.try_get(2)?,
            is_blocked: row.try_get(3)?,
            is_ranked_anew: row.try_get(4)?,
        })
    }
}
