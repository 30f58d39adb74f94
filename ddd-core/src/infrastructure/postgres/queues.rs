use std::{collections::HashMap, sync::Arc, time::Instant};

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    core::Core,
    error::{Outcome, corrupt},
    numbers::{micros, status, time},
    session::Session,
};
use crate::{
    domain::{Counts, Name, Timestamp},
    infrastructure::sql::{json_of, json_text},
    ports::{QueueSettings, QueueState, StoreSettings},
};

/// The settings that a column holds; an empty object stands for none.
pub(super) fn settings_of(text: &str) -> Outcome<QueueSettings> {
    if text == "{}" { Ok(QueueSettings::new()) } else { Ok(json_of(text)?) }
}

fn settings_text(settings: &QueueSettings) -> Outcome<String> {
    if *settings == QueueSettings::new() { Ok("{}".to_owned()) } else { Ok(json_text(settings)?) }
}

/// A queue of which number, name and settings were selected.
pub(super) fn numbered(row: &PgRow) -> Outcome<(Name, (i32, QueueSettings))> {
    Ok((Name::from(row.try_get::<&str, _>(1)?), (row.try_get(0)?, settings_of(row.try_get(2)?)?)))
}

impl Core {
    /// Writes the settings of queues, and orders what waits anew if the step between priorities has changed. What of that takes long
    /// is left to upkeep.
    pub(super) async fn configure(self: &Arc<Self>, conn: &mut PgConnection, settings: &StoreSettings) -> Outcome<()> {
        let began = Instant::now();
        self.names.make(conn, &self.texts, &settings.queues.iter().map(|it| &it.0).collect::<Vec<_>>(), &[]).await?;
        let settings = settings.clone();
        self.transact(conn, move |session| {
            let settings = settings.clone();
            Box::pin(async move { session.configure(&settings).await })
        })
        .await?;
        self.rank_anew(conn, (self.timeout / 2).saturating_sub(began.elapsed())).await.map(drop)
    }
}

impl Session<'_> {
    async fn configure(&mut self, settings: &StoreSettings) -> Outcome<()> {
        let number = |name: &Name| self.core.names.queue(name).ok_or_else(|| corrupt("a queue has no number"));
        let numbered = settings.queues.iter().map(|it| Ok((number(&it.0)?, it)));
        let mut numbered = numbered.collect::<Outcome<Vec<_>>>()?;
        numbered.sort_by_key(|it| it.0);
        for (number, (name, settings)) in numbered {
            let text = "UPDATE ddd.queue SET settings = $2, limited = $3, bounded = $4 WHERE number = $1";
            sqlx::query(self.core.texts.of(text))
                .bind(number)
                .bind(settings_text(settings)?)
                .bind(settings.concurrency.is_some() || settings.rate_limit.is_some())
                .bind(settings.max_depth.is_some())
                .execute(&mut *self.conn)
                .await?;
            let text = "SELECT EXISTS (SELECT FROM ddd.task WHERE status = 0 AND queue = $1)";
            let has_ready: bool =
                sqlx::query_scalar(self.core.texts.of(text)).bind(number).fetch_one(&mut *self.conn).await?;
            if has_ready {
                self.fx.ready(name, 1);
            }
        }
        self.set_rank_step(micros(settings.rank_step.get())).await
    }

    /// Notes which queues have limits: in them, ends make room.
    pub(super) async fn find_limited_queues(&mut self) -> Outcome<()> {
        let text = "SELECT number FROM ddd.queue WHERE limited";
        let found: Vec<i32> = sqlx::query_scalar(self.core.texts.of(text)).fetch_all(&mut *self.conn).await?;
        self.limited = found.into_iter().collect();
        Ok(())
    }

    /// The queues that were ever configured or used.
    pub(super) async fn queues(&mut self) -> Outcome<Vec<QueueState>> {
        let counts = self.counts().await?;
        // The oldest is looked for among the first that are handed out: exact, unless more than a thousand are more urgent.
        let text = "SELECT q.number, q.name, q.settings, q.paused, (SELECT min(h.due) FROM (SELECT due FROM ddd.task t \
                    WHERE t.status = 0 AND t.queue = q.number ORDER BY t.rank, t.id LIMIT 1000) h) \
                    FROM ddd.queue q ORDER BY q.name";
        let found = sqlx::query(self.core.texts.of(text)).fetch_all(&mut *self.conn).await?;
        let mut states = Vec::with_capacity(found.len());
        for row in found {
            let (name, (number, settings)) = numbered(&row)?;
            let oldest: Option<Timestamp> = row.try_get::<Option<i64>, _>(4)?.map(time);
            let counts = counts.get(&number).copied().unwrap_or_default();
            states.push(QueueState::new(name, settings, row.try_get(3)?, counts, oldest));
        }
        states.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(states)
    }

    /// How many tasks of each queue are in each status.
    async fn counts(&mut self) -> Outcome<HashMap<i32, Counts>> {
        let text = "SELECT queue, s, sum(n)::bigint FROM (SELECT queue, becomes AS s, n FROM ddd.tally \
                    UNION ALL SELECT queue, was, -n FROM ddd.tally) t WHERE s >= 0 GROUP BY queue, s";
        let found = sqlx::query(self.core.texts.of(text)).fetch_all(&mut *self.conn).await?;
        let mut counts = HashMap::<i32, Counts>::new();
        for row in found {
            let n = u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or_default();
            counts.entry(row.try_get(0)?).or_default().add_many(status(row.try_get(1)?)?, n);
        }
        Ok(counts)
    }
}
