use std::sync::Arc;

use sqlx::PgConnection;

use super::{core::Core, error::Outcome};
use crate::ports::Reaped;

impl Core {
    /// Upkeep, in short transactions: nobody waits for long, and what one of them has done stays done.
    pub(super) async fn reap(self: &Arc<Self>, conn: &mut PgConnection, max: usize) -> Outcome<Reaped> {
        self.keep_up(conn).await?;
        let mut reaped = self
            .transact(conn, move |session| {
                Box::pin(async move {
                    let mut reaped = Reaped { more: session.promote(max).await?, ..Reaped::default() };
                    // What was due and what is lost may wait for the same keys: one after the other.
                    session.save_and_forget().await?;
                    session.recover(max, &mut reaped).await?;
                    Ok(reaped)
                })
            })
            .await?;
        reaped.more |= self
            .transact(conn, move |session| {
                Box::pin(async move {
                    // Who parked a task may not have seen the worker that declared itself in this moment, nor it the task.
                    let unparked = session.unpark(max).await?;
                    let parked = session.park_unknown(max).await?;
                    session.save_and_forget().await?;
                    session.admit_forgotten(max).await?;
                    Ok(max > 0 && (unparked == max || parked == max))
                })
            })
            .await?;
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
        reaped.more |= self.transact(conn, |session| Box::pin(session.fold())).await?;
        Ok(reaped)
    }
}
