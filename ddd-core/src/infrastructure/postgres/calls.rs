//! How the store uses connections: a call runs in a task of its own, submissions in that of their leader, so that nobody who drops
//! a future stops anything half-way; it has so much time and no more; and a connection that may be in the middle of something never goes back into the pool.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, pool::PoolConnection, postgres::Postgres};

use super::{
    core::Core,
    error::{Outcome, Remedy, Trouble},
    numbers::time,
    session::Session,
};
use crate::{
    domain::Timestamp,
    ports::{BoxFuture, StoreError, StoreErrorKind, StoreFuture},
};

/// So often a call is made, if transactions stand in each other's way or connections turn out to be broken.
const TRIES: u32 = 12;

/// A connection that is kept between calls, in the middle of nothing.
pub(super) type AtHand = Option<PoolConnection<Postgres>>;

/// Work over a connection.
pub(super) type Work<'a, T> = BoxFuture<'a, Outcome<T>>;

impl Core {
    /// Does `work` over a connection of the pool, perhaps several times; it commits by itself.
    pub(super) fn call<T, W>(self: &Arc<Self>, work: W) -> StoreFuture<T>
    where
        T: Send + 'static,
        W: for<'a> Fn(Arc<Self>, &'a mut PgConnection) -> Work<'a, T> + Send + Sync + 'static,
    {
        let core = self.clone();
        Box::pin(async move {
            let running = tokio::spawn(async move { core.try_often(&work).await });
            running.await.unwrap_or_else(|ended| Err(StoreError::new(StoreErrorKind::Unavailable, ended)))
        })
    }

    /// Does `work` in a transaction over a connection of the pool, perhaps several times.
    pub(super) fn transaction<T, W>(self: &Arc<Self>, work: W) -> StoreFuture<T>
    where
        T: Send + 'static,
        W: for<'a, 'c> Fn(&'a mut Session<'c>) -> Work<'a, T> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        self.call(move |core, conn| {
            let work = work.clone();
            Box::pin(async move { core.transact(conn, &*work).await })
        })
    }

    pub(super) async fn try_often<T, W>(self: &Arc<Self>, work: &W) -> Result<T, StoreError>
    where
        W: for<'a> Fn(Arc<Self>, &'a mut PgConnection) -> Work<'a, T> + Send + Sync,
    {
        let mut at_hand = None;
        let answer = self.try_over(&mut at_hand, work).await;
        self.give_back(at_hand);
        answer
    }

    /// Does `work` over the connection that is at hand, or else over one of the pool, which is at hand then; perhaps several times.
    pub(super) async fn try_over<T, W>(self: &Arc<Self>, at_hand: &mut AtHand, work: &W) -> Result<T, StoreError>
    where
        W: for<'a> Fn(Arc<Self>, &'a mut PgConnection) -> Work<'a, T> + Send + Sync,
    {
        let mut tries = 1;
        loop {
            match self.once(at_hand, work).await {
                Err(trouble) if trouble.remedy != Remedy::Tell && tries < TRIES => tries += 1,
                answer => return answer.map_err(|it| it.error),
            }
        }
    }

    pub(super) async fn try_once<T, W>(self: &Arc<Self>, work: &W) -> Outcome<T>
    where
        W: for<'a> Fn(Arc<Self>, &'a mut PgConnection) -> Work<'a, T> + Send + Sync,
    {
        let mut at_hand = None;
        let answer = self.once(&mut at_hand, work).await;
        self.give_back(at_hand);
        answer
    }

    async fn once<T, W>(self: &Arc<Self>, at_hand: &mut AtHand, work: &W) -> Outcome<T>
    where
        W: for<'a> Fn(Arc<Self>, &'a mut PgConnection) -> Work<'a, T> + Send + Sync,
    {
        self.is_current()?;
        let mut conn = match at_hand.take() {
            Some(conn) => conn,
            None => {
                self.follow();
                // Large, and not needed by a leader that has its connection at hand.
                Box::pin(self.acquire()).await?
            }
        };
        let working = async {
            if self.names.are_doubted() {
                Box::pin(self.names.read_anew(&mut conn, &self.texts)).await?;
            }
            work(self.clone(), &mut conn).await
        };
        match tokio::time::timeout(self.timeout, working).await {
            Ok(Err(trouble)) if trouble.remedy == Remedy::Reconnect => {
                give_up(conn);
                Err(trouble)
            }
            Ok(answer) => {
                *at_hand = Some(conn);
                answer
            }
            Err(elapsed) => {
                give_up(conn);
                Err(Trouble::unavailable(elapsed, Remedy::Tell))
            }
        }
    }

    /// Gives a connection back to the pool, which asks the server whether it lives. If there is no answer, its place is free all the
    /// same.
    pub(super) fn give_back(&self, at_hand: AtHand) {
        if let Some(mut conn) = at_hand {
            tokio::spawn(tokio::time::timeout(self.timeout, conn.return_to_pool()));
        }
    }

    /// Does `work` in a transaction over this connection, and tells what it led to once it is committed.
    pub(super) async fn transact<T, W>(self: &Arc<Self>, conn: &mut PgConnection, work: W) -> Outcome<T>
    where
        W: for<'a, 'c> Fn(&'a mut Session<'c>) -> Work<'a, T> + Send + Sync,
    {
        let now = self.begin(conn).await?;
        let mut session = Session::new(conn, self.clone(), now);
        let answer = match work(&mut session).await {
            Ok(answer) => session.save().await.map(|()| answer),
            Err(trouble) => Err(trouble),
        };
        let Session { conn, mut fx, cancelled, .. } = session;
        match answer {
            Ok(answer) => {
                // Before the commit: who gets these rows next stands behind.
                let turn = self.turns.enter(fx.transitions.iter().map(|it| it.id));
                sqlx::raw_sql("COMMIT").execute(conn).await?;
                turn.come().await;
                self.tell(&mut fx, &cancelled);
                Ok(answer)
            }
            Err(trouble) if trouble.remedy == Remedy::Reconnect => Err(trouble),
            Err(trouble) => match sqlx::raw_sql("ROLLBACK").execute(conn).await {
                Ok(_) => Err(trouble),
                Err(_) => Err(Trouble { error: trouble.error, remedy: Remedy::Reconnect }),
            },
        }
    }

    /// Begins a transaction, in one round trip; the time of the server, shifted.
    async fn begin(&self, conn: &mut PgConnection) -> Outcome<Timestamp> {
        // A machine that vanishes between two statements leaves its locks no longer than that.
        let limit = self.timeout.as_millis();
        // Not the transaction's time but the clock's: it is asked for once, and nothing was waited for yet.
        let text = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {limit}; \
             SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(conn).await?;
        let row = rows.first().ok_or_else(|| super::error::corrupt("the server does not tell the time"))?;
        Ok(time(row.try_get::<i64, _>(0)?.saturating_add(self.offset())))
    }
}

/// Closes a connection without a word to the server, which may not hear it; its place in the pool is free at once.
fn give_up(conn: PoolConnection<Postgres>) {
    drop(conn.detach());
}
