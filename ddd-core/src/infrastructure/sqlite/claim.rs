use rusqlite::params;

use super::{
    error::Outcome,
    lines::{Line, Ready},
    row::{id_bytes, number, worker_bytes},
    session::Session,
    tallies::Place,
};
use crate::{
    domain::{Priority, TaskStatus, Timestamp, Transition},
    infrastructure::sql::{STARTED, json_of, raw, status_code},
    ports::{ClaimRequest, Claimed, Claims},
};

/// A claim looks at so many tasks more than it hands out.
const SCANNED_BEYOND: usize = 64;
/// A claim makes at most so many due tasks ready, so that it stays short.
const PROMOTED: usize = 256;

/// What to do with a task at the head of a line.
enum Verdict {
    Take,
    TakeAlone,
    LeaveToOthers,
    Park,
    WaitUntilIdle,
}

impl Session<'_> {
    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Outcome<Claims> {
        self.take_in()?;
        self.promote(PROMOTED)?;
        let mut claims = Claims::default();
        let next_permit =
            if self.seen(request.worker, request.lease)? { self.take_in_order(request, &mut claims)? } else { None };
        let next_due = self.next_due()?;
        claims.next_in = next_due.into_iter().chain(next_permit).min().map(|it| it.since(self.now()));
        Ok(claims)
    }

    /// Fills `claims`; returns when a rate limit lets the next one pass, if one was met.
    fn take_in_order(&mut self, request: &ClaimRequest, claims: &mut Claims) -> Outcome<Option<Timestamp>> {
        let mut lines = self.lines(request)?;
        let mut left = Vec::new();
        let mut next_permit: Option<Timestamp> = None;
        let mut scanned = 0;
        while claims.tasks.len() < request.max && scanned < request.max + SCANNED_BEYOND {
            let wanted = request.max - claims.tasks.len();
            let Some((index, lane)) = self.best(&mut lines, wanted, &left)? else { break };
            let Some(head) = lines[index].lanes[lane].pop() else { break };
            scanned += 1;
            match self.judge(&head, request, claims.tasks.is_empty())? {
                verdict @ (Verdict::Take | Verdict::TakeAlone) => {
                    if let Some(next) = self.over_rate(lines[index].queue)? {
                        next_permit = next_permit.into_iter().chain([next]).min();
                        lines.swap_remove(index);
                        continue;
                    }
                    lines[index].room -= 1;
                    let place = lines[index].place(lane, head.kind);
                    let claimed = self.start(head, place, request)?;
                    claims.tasks.push(claimed);
                    if matches!(verdict, Verdict::TakeAlone) {
                        self.empties(request.worker, Timestamp::default())?;
                        claims.alone = true;
                        break;
                    }
                }
                Verdict::LeaveToOthers => left.push(head.id),
                Verdict::Park => {
                    if let Some(mut row) = self.load(head.id)? {
                        self.arrive(&mut row, TaskStatus::Parked)?;
                    }
                    // Its permit may have let another task into any line.
                    for line in &mut lines {
                        line.lanes = self.lanes(line.queue)?;
                    }
                }
                Verdict::WaitUntilIdle => {
                    self.empties(request.worker, self.now().after(request.lease))?;
                    claims.alone_waiting = true;
                    break;
                }
            }
        }
        Ok(next_permit)
    }

    /// The lines that a claim may take from.
    fn lines(&mut self, request: &ClaimRequest) -> Outcome<Vec<Line>> {
        let mut lines = Vec::<Line>::with_capacity(request.queues.len());
        for (name, most) in request.queues.iter() {
            let Some(number) = self.memory.names.find_queue(self.db, name)? else { continue };
            let queue = self.queue(number)?;
            if queue.paused || *most == 0 || request.max == 0 || lines.iter().any(|it| it.queue == number) {
                continue;
            }
            let room = match queue.settings.concurrency {
                Some(limit) => limit.saturating_sub(self.memory.tallies.occupied(self.db, number)?),
                None => usize::MAX,
            };
            if room > 0 {
                lines.push(Line { queue: number, room: room.min(*most), lanes: self.lanes(number)? });
            }
        }
        Ok(lines)
    }

    fn judge(&mut self, head: &Ready, request: &ClaimRequest, is_first: bool) -> Outcome<Verdict> {
        if !self.knows(request.worker, head.kind)? {
            let known = self.anyone_knows(head.kind)?;
            return Ok(if known { Verdict::LeaveToOthers } else { Verdict::Park });
        }
        Ok(if head.crashes < self.memory.settings.crashes_until_alone {
            Verdict::Take
        } else if request.idle && is_first {
            Verdict::TakeAlone
        } else if self.is_left_to_another(request.worker)? {
            Verdict::LeaveToOthers
        } else {
            Verdict::WaitUntilIdle
        })
    }

    /// When the next task of a queue may start, if none may now; else one is counted.
    fn over_rate(&mut self, queue: i64) -> Outcome<Option<Timestamp>> {
        let mut state = self.queue(queue)?;
        let Some(quota) = state.settings.rate_limit else { return Ok(None) };
        let (taken, next) = quota.take(&mut state.quota, 1, self.now());
        if taken == 0 {
            return Ok(Some(next.unwrap_or_else(|| self.now())));
        }
        let mut keep = self.db.prepare_cached("UPDATE ddd_queue SET quota = ?2 WHERE number = ?1")?;
        keep.execute([queue, state.quota.kept().as_micros()])?;
        self.memory.queues.insert(queue, state);
        Ok(None)
    }

    /// Hands out a task.
    fn start(&mut self, head: Ready, place: Place, request: &ClaimRequest) -> Outcome<Claimed> {
        let now = self.now();
        let (attempt, fence) = (head.attempt + 1, head.fence.next());
        self.db
            .prepare_cached(
                "UPDATE ddd_task SET status = 5, attempt = ?2, fence = ?3, started_at = ?4, lease_until = ?5, \
                 worker = ?6, progress = NULL WHERE id = ?1",
            )?
            .execute(params![
                id_bytes(head.id),
                attempt,
                number(fence),
                now.as_micros(),
                now.after(request.lease).as_micros(),
                worker_bytes(request.worker),
            ])?;
        let tallies = &mut self.memory.tallies;
        tallies.add(place, status_code(TaskStatus::Pending), -1);
        tallies.add(place, status_code(TaskStatus::Running), 1);
        tallies.add(place, STARTED, 1);
        self.memory.departures.entry(place.queue).or_default().add(now);
        let (name, version) = self.memory.names.kind_name(self.db, place.kind)?;
        let queue = self.queue_name(place.queue)?;
        let text = match head.params {
            Some(text) => text,
            None => self.large_params(head.id)?,
        };
        let claimed = Claimed {
            id: head.id,
            name,
            version,
            queue,
            priority: Priority::clamped(i8::try_from(place.priority).unwrap_or_default()),
            params: raw(text)?,
            run: head.run,
            attempt,
            max_attempts: head.max_attempts,
            timeout: head.timeout,
            fence,
            due: head.due,
            created_at: head.created_at,
            started_at: now,
            label: head.label.as_deref().map(json_of).transpose()?,
        };
        if self.memory.fx.is_heard {
            self.memory.fx.transitions.push(Transition {
                id: claimed.id,
                name: claimed.name.clone(),
                queue: claimed.queue.clone(),
                run: claimed.run,
                attempt,
                fence,
                from: Some(TaskStatus::Pending),
                to: TaskStatus::Running,
                at: now,
                progress: None,
            });
        }
        Ok(claimed)
    }
}
