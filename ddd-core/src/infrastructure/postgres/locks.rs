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
}
