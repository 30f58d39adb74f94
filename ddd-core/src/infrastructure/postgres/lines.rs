//! A claim that looks at each task: queues with limits, tasks that nobody knows, tasks that must run alone.

use std::collections::{HashMap, HashSet};

use sqlx::Row as _;
use uuid::Uuid;

use super::{
    claimed::{claimed_columns, numbers, read, take_chosen},
    error::Outcome,
    load::Locked,
    numbers::{id_of, ids_of, micros, size, time},
    queues::settings_of,
    session::Session,
};
use crate::{
    domain::{QuotaState, TaskId, TaskStatus, Timestamp},
    ports::{ClaimRequest, Claims, QueueSettings},
};

/// A claim looks at so many tasks more than it hands out.
const SCANNED_BEYOND: usize = 64;

/// A queue that a claim may take from.
#[derive(Debug)]
struct Line {
    room: usize,
    settings: QueueSettings,
    quota: QuotaState,
    is_changed: bool,
}

/// A ready task, as far as a claim must look at it.
#[derive(Debug)]
struct Head {
    id: TaskId,
    queue: i32,
    kind: i32,
    alone: bool,
}

impl Session<'_> {
    /// Answers as well with what was met and no live worker knows.
    pub(super) async fn claim(&mut self, request: &ClaimRequest) -> Outcome<(Claims, Vec<TaskId>)> {
        let (mut claims, mut strangers) = (Claims::default(), Vec::new());
        let next_permit = if self.seen(request.worker, request.lease).await? {
            self.take_in_order(request, &mut claims, &mut strangers).await?
        } else {
            None
        };
        let next_due = self.next_due().await?;
        claims.next_in = next_due.into_iter().chain(next_permit).min().map(|it| it.since(self.now));
        Ok((claims, strangers))
    }

    /// Fills `claims`, and `unknown` with what no live worker knows; returns when a rate limit lets the next one pass, if one was
    /// met.
    async fn take_in_order(
        &mut self,
        request: &ClaimRequest,
        claims: &mut Claims,
        unknown: &mut Vec<TaskId>,
    ) -> Outcome<Option<Timestamp>> {
        let mut lines = self.lines(request).await?;
        let heads = self.heads(&lines, request).await?;
        let known = self.known_kinds(request.worker).await?;
        let strangers = heads.iter().map(|it| it.kind).filter(|it| !known.contains(it)).collect::<HashSet<_>>();
        let others_know = self.known_to_anyone(&strangers).await?;
        let mut next_permit: Option<Timestamp> = None;
        let mut chosen = Vec::new();
        for head in &heads {
            if chosen.len() >= request.max {
                break;
            }
            let Some(line) = lines.get_mut(&head.queue).filter(|it| it.room > 0) else { continue };
            if !known.contains(&head.kind) {
                if !others_know.contains(&head.kind) {
                    unknown.push(head.id);
                }
                continue;
            }
            if head.alone && !(request.idle && chosen.is_empty()) {
                if self.is_left_to_another(request.worker).await? {
                    continue;
                }
                self.empties(request.worker, self.now.after(request.lease)).await?;
                claims.alone_waiting = true;
                break;
            }
            if let Some(quota) = line.settings.rate_limit {
                if let (0, next) = quota.take(&mut line.quota, 1, self.now) {
                    next_permit = next_permit.into_iter().chain(next).min();
                    line.room = 0;
                    continue;
                }
                line.is_changed = true;
            }
            line.room -= 1;
            chosen.push(head);
            if head.alone {
                self.empties(request.worker, Timestamp::default()).await?;
                claims.alone = true;
                break;
            }
        }
        claims.tasks = self.start(&chosen, request).await?;
        claims.alone &= !claims.tasks.is_empty();
        self.give_back_unused(&chosen, claims, &mut lines).await?;
        Ok(next_permit)
    }

    /// The lines that a claim may take from. Those with limits are locked: one claim at a time counts what runs.
    async fn lines(&mut self, request: &ClaimRequest) -> Outcome<HashMap<i32, Line>> {
        let names = request.queues.iter().filter(|it| it.1 > 0).map(|it| it.0.as_str()).collect::<Vec<_>>();
        let lock = "SELECT number FROM ddd.queue WHERE name = ANY($1) AND limited ORDER BY number FOR UPDATE";
        let limited: Vec<i32> =
            sqlx::query_scalar(self.core.texts.of(lock)).bind(&names).fetch_all(&mut *self.conn).await?;
        // What ran when the lock was asked for may have ended since: a look of its own.
        let text = "SELECT q.number, q.name, q.settings, q.quota, CASE WHEN q.limited THEN (SELECT count(*) FROM ddd.task t \
                    WHERE t.lease_until IS NOT NULL AND t.queue = q.number) ELSE 0 END \
                    FROM ddd.queue q WHERE q.name = ANY($1) AND NOT q.paused";
        let found = sqlx::query(self.core.texts.of(text)).bind(&names).fetch_all(&mut *self.conn).await?;
        let mut lines = HashMap::new();
        for row in found {
            let (number, name): (i32, &str) = (row.try_get(0)?, row.try_get(1)?);
            let settings = settings_of(row.try_get(2)?)?;
            let running = usize::try_from(row.try_get::<i64, _>(4)?).unwrap_or_default();
            let free = settings.concurrency.map_or(usize::MAX, |limit| limit.saturating_sub(running));
            let most = request.queues.iter().find(|it| it.0 == *name).map_or(0, |it| it.1);
            // A limit that came this moment is for the next claim.
            let is_safe =
                limited.contains(&number) || (settings.concurrency.is_none() && settings.rate_limit.is_none());
            let room = if is_safe { free.min(most) } else { 0 };
            let quota = QuotaState::of(time(row.try_get(3)?));
            lines.insert(number, Line { room, settings, quota, is_changed: false });
        }
        Ok(lines)
    }

    /// The first tasks of the lines, in the order of rank.
    async fn heads(&mut self, lines: &HashMap<i32, Line>, request: &ClaimRequest) -> Outcome<Vec<Head>> {
        let open = lines.iter().filter(|it| it.1.room > 0).map(|it| *it.0).collect::<Vec<_>>();
        let text = "SELECT t.id, u.number, t.kind, t.alone FROM unnest($1::integer[]) u(number) CROSS JOIN LATERAL \
                    (SELECT id, kind, rank, alone FROM ddd.task WHERE status = 0 AND queue = u.number \
                    ORDER BY rank, id LIMIT $2) t ORDER BY t.rank, t.id";
        let found = sqlx::query(self.core.texts.of(text))
            .bind(open)
            .bind(size(request.max.saturating_add(SCANNED_BEYOND)))
            .fetch_all(&mut *self.conn)
            .await?;
        found
            .iter()
            .map(|row| {
                Ok(Head {
                    id: id_of(row.try_get::<Uuid, _>(0)?),
                    queue: row.try_get(1)?,
                    kind: row.try_get(2)?,
                    alone: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// Hands out those of the chosen that nobody else has taken meanwhile.
    async fn start(&mut self, chosen: &[&Head], request: &ClaimRequest) -> Outcome<Vec<crate::ports::Claimed>> {
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        const START: &str = concat!(
            "WITH clock AS MATERIALIZED (SELECT $3::bigint AS now), \
             chosen AS MATERIALIZED (SELECT id FROM ddd.task WHERE id = ANY($4) AND status = 0 FOR UPDATE SKIP LOCKED), ",
            take_chosen!(),
            "SELECT ",
            claimed_columns!(),
            " FROM taken t CROSS JOIN clock c"
        );
        let ids = chosen.iter().map(|it| it.id).collect::<Vec<_>>();
        let rows = sqlx::query(self.core.texts.of(START))
            .bind(request.worker.as_uuid())
            .bind(micros(request.lease))
            .bind(self.now.as_micros())
            .bind(ids_of(&ids))
            .fetch_all(&mut *self.conn)
            .await?;
        let numbers = numbers(&rows)?;
        if !self.core.names.hold(numbers.iter().map(|it| it.0), numbers.iter().map(|it| it.1)) {
            self.core.names.read(self.conn, &self.core.texts).await?;
        }
        read(&rows, &self.core, &mut self.fx)
    }

    /// Writes what the rate limits remember, less what others have taken before.
    async fn give_back_unused(
        &mut self,
        chosen: &[&Head],
        claims: &Claims,
        lines: &mut HashMap<i32, Line>,
    ) -> Outcome<()> {
        let taken = claims.tasks.iter().map(|it| it.id).collect::<HashSet<_>>();
        for head in chosen.iter().filter(|it| !taken.contains(&it.id)) {
            if let Some(line) = lines.get_mut(&head.queue)
                && let Some(quota) = line.settings.rate_limit
            {
                quota.give_back(&mut line.quota, 1);
            }
        }
        for (number, line) in lines.iter().filter(|it| it.1.is_changed) {
            let text = "UPDATE ddd.queue SET quota = $2 WHERE number = $1";
            let state = line.quota.kept().as_micros();
            sqlx::query(self.core.texts.of(text)).bind(number).bind(state).execute(&mut *self.conn).await?;
        }
        Ok(())
    }

    /// Parks ready tasks that no live worker knows; how many.
    pub(super) async fn park(&mut self, ids: &[TaskId]) -> Outcome<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.load(ids, Locked::Skip).await?;
        let mut parked = 0;
        for id in ids {
            let Some(mut row) = self.take(*id) else { continue };
            if row.record.status == TaskStatus::Pending {
                self.arrive(&mut row, TaskStatus::Parked)?;
                self.put(row);
                parked += 1;
            } else {
                self.put_back(row);
            }
        }
        Ok(parked)
    }

    /// When the next task is due of those that wait for their time.
    async fn next_due(&mut self) -> Outcome<Option<Timestamp>> {
        let text = "SELECT due FROM ddd.task WHERE status IN (1, 2) ORDER BY due LIMIT 1";
        let due: Option<i64> = sqlx::query_scalar(self.core.texts.of(text)).fetch_optional(&mut *self.conn).await?;
        Ok(due.map(time))
    }
}
