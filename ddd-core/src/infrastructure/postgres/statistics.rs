use std::time::Duration;

use sqlx::Row as _;

use super::{
    error::Outcome,
    numbers::{status, time},
    session::Session,
    tallies::{MOVED, NOWHERE},
};
use crate::domain::{Counts, Durations, Name, Statistics, TaskStatus};

/// Figures about times are those of so many runs that ended last, and as many that failed.
const SAMPLE: i64 = 10_000;
const DAY: i64 = 24 * 3_600;
const MINUTE: i64 = 60;

/// How a tally changes a number.
struct Change {
    was: Option<TaskStatus>,
    becomes: Option<TaskStatus>,
    is_new: bool,
    is_move: bool,
    n: i64,
    last_day: i64,
    last_minute: i64,
}

/// Numbers that may be less than nothing in between.
#[derive(Default)]
struct Sums([i64; TaskStatus::ALL.len()]);

impl Sums {
    fn add(&mut self, change: &Change) {
        if let Some(status) = change.becomes {
            self.0[status as usize] += change.n;
        }
        if let Some(status) = change.was {
            self.0[status as usize] -= change.n;
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for status in TaskStatus::ALL {
            counts.add_many(status, u64::try_from(self.0[status as usize]).unwrap_or_default());
        }
        counts
    }
}

impl Session<'_> {
    pub(super) async fn statistics(&mut self) -> Outcome<Statistics> {
        use std::collections::BTreeMap;

        let text = "SELECT queue, kind, priority, was, becomes, sum(n)::bigint, \
                    coalesce(sum(n) FILTER (WHERE second > $1 - $2), 0)::bigint, \
                    coalesce(sum(n) FILTER (WHERE second > $1 - $3), 0)::bigint \
                    FROM ddd.tally GROUP BY queue, kind, priority, was, becomes";
        let found = sqlx::query(self.core.texts.of(text))
            .bind(self.now.as_micros().div_euclid(1_000_000))
            .bind(DAY)
            .bind(MINUTE)
            .fetch_all(&mut *self.conn)
            .await?;
        self.core.names.read(self.conn, &self.core.texts).await?;
        let mut all = Statistics::default();
        let mut now = Sums::default();
        let mut by_name = BTreeMap::<Name, Sums>::new();
        let mut by_priority = BTreeMap::<i8, Sums>::new();
        let mut by_queue = BTreeMap::<Name, Sums>::new();
        let mut last_minute = 0;
        for row in found {
            let (was, becomes): (i16, i16) = (row.try_get(3)?, row.try_get(4)?);
            let change = Change {
                was: if was >= 0 { Some(status(was)?) } else { None },
                becomes: if becomes >= 0 { Some(status(becomes)?) } else { None },
                is_new: was == NOWHERE,
                is_move: was == MOVED,
                n: row.try_get(5)?,
                last_day: row.try_get(6)?,
                last_minute: row.try_get(7)?,
            };
            let Some((name, _)) = self.core.names.kind_name(row.try_get(1)?) else { continue };
            let Some(queue) = self.core.names.queue_name(row.try_get(0)?) else { continue };
            now.add(&change);
            by_name.entry(name.clone()).or_default().add(&change);
            by_queue.entry(queue).or_default().add(&change);
            let priority = i8::try_from(row.try_get::<i16, _>(2)?).unwrap_or_default();
            by_priority.entry(priority).or_default().add(&change);
            if change.is_move {
                continue;
            }
            let n = u64::try_from(change.n).unwrap_or_default();
            let task = all.tasks.entry(name).or_default();
            match (change.was, change.becomes) {
                _ if change.is_new => {
                    all.submitted += n;
                    task.submitted += n;
                }
                (_, Some(TaskStatus::Running)) => all.started += n,
                (_, Some(TaskStatus::Retrying)) => {
                    all.retried += n;
                    task.retried += n;
                }
                (_, Some(status)) if status.is_terminal() => {
                    all.finished.add_many(status, n);
                    task.finished.add_many(status, n);
                    all.last_24h.add_many(status, u64::try_from(change.last_day).unwrap_or_default());
                    last_minute += change.last_minute;
                }
                _ => {}
            }
        }
        all.now = now.counts();
        all.throughput = last_minute as f64 / MINUTE as f64;
        for (name, sums) in by_name {
            all.tasks.entry(name).or_default().now = sums.counts();
        }
        let priorities = by_priority.into_iter().map(|(priority, sums)| (priority, sums.counts()));
        all.priorities = priorities.filter(|it| it.1.total() > 0).collect();
        all.queues = by_queue.into_iter().map(|(queue, sums)| (queue, sums.counts())).collect();
        let finished = all.finished.total();
        if finished > 0 {
            all.success_rate = Some(all.finished.get(TaskStatus::Success) as f64 / finished as f64);
        }
        self.times(&mut all).await?;
        Ok(all)
    }

    /// How long tasks ran and waited.
    async fn times(&mut self, all: &mut Statistics) -> Outcome<()> {
        let text = "(SELECT kind, due, started_at, finished_at FROM ddd.history WHERE status IN (6, 8) \
                    ORDER BY finished_at DESC LIMIT $1) UNION ALL \
                    (SELECT kind, due, started_at, finished_at FROM ddd.history WHERE status IN (7, 9) \
                    ORDER BY finished_at DESC LIMIT $1)";
        let found = sqlx::query(self.core.texts.of(text)).bind(SAMPLE).fetch_all(&mut *self.conn).await?;
        let (mut ran, mut waited) = (Vec::new(), Vec::new());
        let mut by_name = std::collections::HashMap::<Name, Vec<Duration>>::new();
        for row in found {
            let (Some(started), Some(finished)) =
                (row.try_get::<Option<i64>, _>(2)?.map(time), row.try_get::<Option<i64>, _>(3)?.map(time))
            else {
                continue;
            };
            waited.push(started.since(time(row.try_get(1)?)));
            ran.push(finished.since(started));
            if let Some((name, _)) = self.core.names.kind_name(row.try_get(0)?) {
                by_name.entry(name).or_default().push(finished.since(started));
            }
        }
        all.run_time = Durations::of(ran);
        all.wait_time = Durations::of(waited);
        for (name, times) in by_name {
            all.tasks.entry(name).or_default().run_time = Durations::of(times);
        }
        Ok(())
    }
}
