use std::collections::HashMap;

use sqlx::PgConnection;

use super::{error::Outcome, numbers::code, row::Row, texts::Texts};
use crate::domain::{TaskStatus, Timestamp};

/// Stands for: not there, or not there any more.
pub(super) const NOWHERE: i16 = -1;
/// Stands for: it was counted at another priority before.
pub(super) const MOVED: i16 = -2;

/// Where a task is counted, and which change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    queue: i32,
    kind: i32,
    priority: i16,
    was: i16,
    becomes: i16,
}

/// How figures change in one transaction: appended once at its end, however many tasks it is about.
#[derive(Debug, Default)]
pub(super) struct Tallies(HashMap<Key, i64>);

impl Tallies {
    /// A task went from one status to another.
    pub(super) fn went(&mut self, row: &Row, was: Option<TaskStatus>, becomes: Option<TaskStatus>) {
        let change = (was.map_or(NOWHERE, code), becomes.map_or(NOWHERE, code));
        self.add(row, row.record.priority.get().into(), change, 1);
    }

    /// A task got another priority.
    pub(super) fn moved(&mut self, row: &Row, from: i8) {
        let status = code(row.record.status);
        self.add(row, from.into(), (MOVED, status), -1);
        self.add(row, row.record.priority.get().into(), (MOVED, status), 1);
    }

    fn add(&mut self, row: &Row, priority: i16, (was, becomes): (i16, i16), n: i64) {
        let key = Key { queue: row.queue, kind: row.kind, priority, was, becomes };
        *self.0.entry(key).or_default() += n;
    }

    /// Appends everything.
    pub(super) async fn flush(&mut self, conn: &mut PgConnection, texts: &Texts, now: Timestamp) -> Outcome<()> {
        let all = self.0.drain().filter(|it| it.1 != 0).collect::<Vec<_>>();
        if all.is_empty() {
            return Ok(());
        }
        let text = "INSERT INTO ddd.tally (queue, kind, priority, was, becomes, n, second) \
                    SELECT *, $7 FROM unnest($1::integer[], $2::integer[], $3::smallint[], $4::smallint[], $5::smallint[], \
                    $6::bigint[])";
        sqlx::query(texts.of(text))
            .bind(all.iter().map(|it| it.0.queue).collect::<Vec<_>>())
            .bind(all.iter().map(|it| it.0.kind).collect::<Vec<_>>())
            .bind(all.iter().map(|it| it.0.priority).collect::<Vec<_>>())
            .bind(all.iter().map(|it| it.0.was).collect::<Vec<_>>())
            .bind(all.iter().map(|it| it.0.becomes).collect::<Vec<_>>())
            .bind(all.iter().map(|it| it.1).collect::<Vec<_>>())
            .bind(now.as_micros().div_euclid(1_000_000))
            .execute(conn)
            .await?;
        Ok(())
    }
}
