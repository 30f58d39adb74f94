use std::{collections::BTreeMap, time::Duration};

use super::{error::Outcome, reader::Reader, row::time};
use crate::{
    domain::{Durations, Name, Statistics, TaskStatus},
    infrastructure::sql::{FINISHED, RETRIED, STARTED, SUBMITTED, status_code, status_of},
};

/// Figures about times are of so many of the last runs that ended well, and as many of the others.
const SAMPLE: i64 = 10_000;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

impl Reader {
    pub(super) fn statistics(&self) -> Outcome<Statistics> {
        let mut all = Statistics::default();
        self.add_tallies(&mut all)?;
        self.add_ended(&mut all)?;
        self.add_times(&mut all)?;
        let finished = all.finished.total();
        if finished > 0 {
            all.success_rate = Some(all.finished.get(TaskStatus::Success) as f64 / finished as f64);
        }
        Ok(all)
    }

    fn add_tallies(&self, all: &mut Statistics) -> Outcome<()> {
        let mut find = self.db.prepare_cached("SELECT name FROM ddd_queue")?;
        for name in find.query_map([], |row| row.get::<_, String>(0))? {
            all.queues.insert(Name::from(name?), crate::domain::Counts::default());
        }
        let mut find = self.db.prepare_cached(
            "SELECT q.name, k.name, t.priority, t.what, t.n FROM ddd_tally t \
             JOIN ddd_queue q ON q.number = t.queue JOIN ddd_kind k ON k.number = t.kind WHERE t.n > 0",
        )?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let (queue, name) = (Name::from(row.get::<_, String>(0)?), Name::from(row.get::<_, String>(1)?));
            let (priority, what) = (row.get::<_, i8>(2)?, row.get::<_, i64>(3)?);
            let count = u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default();
            let task = all.tasks.entry(name).or_default();
            match what {
                SUBMITTED => (all.submitted, task.submitted) = (all.submitted + count, task.submitted + count),
                STARTED => all.started += count,
                RETRIED => (all.retried, task.retried) = (all.retried + count, task.retried + count),
                _ => {
                    if let Some(status) = status_of(what) {
                        all.now.add_many(status, count);
                        task.now.add_many(status, count);
                        all.priorities.entry(priority).or_default().add_many(status, count);
                        all.queues.entry(queue).or_default().add_many(status, count);
                    } else if let Some(status) = status_of(what - FINISHED) {
                        all.finished.add_many(status, count);
                        task.finished.add_many(status, count);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_ended(&self, all: &mut Statistics) -> Outcome<()> {
        let second = self.shared.tick().as_micros().div_euclid(1_000_000);
        let mut find = self.db.prepare_cached(
            "SELECT status, sum(n), sum(n) FILTER (WHERE second > ?2) FROM ddd_ended \
             WHERE second > ?1 AND second <= ?3 GROUP BY status",
        )?;
        let mut rows = find.query([second - DAY, second - MINUTE, second])?;
        let mut last_minute = 0;
        while let Some(row) = rows.next()? {
            if let Some(status) = status_of(row.get(0)?) {
                all.last_24h.add_many(status, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default());
                last_minute += row.get::<_, Option<i64>>(2)?.unwrap_or_default();
            }
        }
        all.throughput = last_minute as f64 / MINUTE as f64;
        Ok(())
    }

    fn add_times(&self, all: &mut Statistics) -> Outcome<()> {
        let (mut ran, mut waited) = (Vec::new(), Vec::new());
        let mut by_name = BTreeMap::<String, Vec<Duration>>::new();
        for statuses in [[TaskStatus::Success, TaskStatus::Cancelled], [TaskStatus::Failed, TaskStatus::Timeout]] {
            let [first, second] = statuses.map(status_code);
            let mut find = self.db.prepare_cached(&format!(
                "SELECT k.name, t.due, t.started_at, t.finished_at FROM (SELECT kind, due, started_at, finished_at \
                 FROM ddd_task WHERE status IN ({first}, {second}) ORDER BY finished_at DESC LIMIT {SAMPLE}) t \
                 JOIN ddd_kind k ON k.number = t.kind WHERE t.started_at IS NOT NULL"
            ))?;
            let mut rows = find.query([])?;
            while let Some(row) = rows.next()? {
                let (due, started, finished) = (time(row.get(1)?), time(row.get(2)?), time(row.get(3)?));
                ran.push(finished.since(started));
                waited.push(started.since(due));
                by_name.entry(row.get(0)?).or_default().push(finished.since(started));
            }
        }
        all.run_time = Durations::of(ran);
        all.wait_time = Durations::of(waited);
        for (name, times) in by_name {
            if let Some(task) = all.tasks.get_mut(name.as_str()) {
                task.run_time = Durations::of(times);
            }
        }
        Ok(())
    }
}
