//! What is locked, and in which order. Two transactions that take the same locks in different orders wait for each other in a circle,
//! which the server ends after a second by breaking one off. So all take theirs in this one:
//!
//! 1. the row of a schedule;
//! 2. unique keys and idempotency keys ([`Lock`]), all by one call of [`Session::lock`], which sorts them; the store's own submissions
//!    take what is free and wait for none;
//! 3. depths, then permits of concurrency keys, each by one call likewise;
//! 4. rows of tasks, by id, all by one statement; a statement that skips what others hold may take some at any time;
//! 5. rows of the history, by id;
//! 6. rows of unique keys and idempotency keys, which nobody touches who does not hold the key, but for upkeep, which skips;
//! 7. the row of a worker, then what it knows;
//! 8. rows of queues, by number; the rows of settings.
//!
//! Whoever needs something that stands further up than what it holds does it in another transaction: so a claim makes due tasks
//! ready, hands out, and parks in three, and upkeep does one thing after the other.
//!
//! A user's transaction that submits takes (2) for each submission, and keeps them: what it does in between is its own.

use std::collections::HashSet;

use sqlx::Row as _;

use super::{error::Outcome, session::Session};

/// What is locked until the end of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock<'a> {
    /// The permits of a concurrency key.
    Permits(&'a [u8]),
    /// Who holds a unique key.
    Unique(&'a str),
    /// What was said under an idempotency key.
    Said(&'a str),
    /// How many wait in a queue.
    Depth(i32),
}

impl Lock<'_> {
    fn name(self) -> Vec<u8> {
        match self {
            Self::Permits(key) => [b"permits:", key].concat(),
            Self::Unique(key) => [b"unique:", key.as_bytes()].concat(),
            Self::Said(key) => [b"said:", key.as_bytes()].concat(),
            Self::Depth(queue) => format!("depth:{queue}").into_bytes(),
        }
    }
}

impl Session<'_> {
    /// Takes these locks, in the order of their numbers, so that nobody waits in a circle.
    pub(super) async fn lock<'a>(&mut self, locks: impl Iterator<Item = Lock<'a>>) -> Outcome<()> {
        let names = locks.map(Lock::name).collect::<Vec<_>>();
        if names.is_empty() {
            return Ok(());
        }
        let text = "SELECT pg_advisory_xact_lock(n) FROM (SELECT DISTINCT hashtextextended('ddd.' || encode(k, 'hex'), 0) AS n \
                    FROM unnest($1::bytea[]) k ORDER BY n) locks";
        sqlx::query(self.core.texts.of(text)).bind(names).execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Takes those of these locks that nobody else holds; the owners of the others.
    pub(super) async fn held_by_others(&mut self, locks: &[(usize, Lock<'_>)]) -> Outcome<HashSet<usize>> {
        if locks.is_empty() {
            return Ok(HashSet::new());
        }
        let names = locks.iter().map(|it| it.1.name()).collect::<Vec<_>>();
        let text = "SELECT n, pg_try_advisory_xact_lock(hashtextextended('ddd.' || encode(k, 'hex'), 0)) \
                    FROM unnest($1::bytea[]) WITH ORDINALITY u(k, n)";
        let mut held = HashSet::new();
        for row in sqlx::query(self.core.texts.of(text)).bind(names).fetch_all(&mut *self.conn).await? {
            let place: i64 = row.try_get(0)?;
            if !row.try_get::<bool, _>(1)? {
                held.extend(usize::try_from(place - 1).ok().and_then(|it| locks.get(it)).map(|it| it.0));
            }
        }
        Ok(held)
    }
}
