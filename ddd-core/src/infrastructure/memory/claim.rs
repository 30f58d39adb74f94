use super::{effects::Effects, lanes::Head, state::State};
use crate::{
    domain::{TaskStatus, Timestamp, WorkerId},
    ports::{ClaimRequest, Claimed, Claims},
};

/// A claim looks at so many tasks more than it hands out.
const SCANNED_BEYOND: usize = 64;
/// A claim makes at most so many due tasks ready, so that it stays short.
const PROMOTED: usize = 1_024;

/// So many ready tasks are more than the processor's caches hold.
const COLD_FROM: usize = 2_048;
/// So many tasks are read ahead: they fit into the nearest cache.
const WARMED_AT_ONCE: usize = 32;

/// A queue that a claim may take from.
#[derive(Debug)]
struct Line {
    queue: u32,
    room: usize,
    head: Option<Head>,
}

/// What to do with a task at the head of a line.
enum Verdict {
    Take,
    TakeAlone,
    LeaveToOthers,
    Park,
    WaitUntilIdle,
}

impl State {
    /// Makes at most `max` due tasks ready; whether more are due.
    pub(super) fn promote(&mut self, max: usize, now: Timestamp, fx: &mut Effects) -> bool {
        for _ in 0..max {
            let Some((&(due, _), &key)) = self.timers.first_key_value() else { return false };
            if due > now {
                return false;
            }
            self.leave(key, fx);
            self.arrive_when_ready(key, now, fx);
        }
        self.timers.first_key_value().is_some_and(|((due, _), _)| *due <= now)
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest, now: Timestamp, fx: &mut Effects) -> Claims {
        self.promote(PROMOTED, now, fx);
        let mut claims = Claims::default();
        let next_permit = match self.workers.seen(request.worker, request.lease, now) {
            Some(worker) => {
                self.workers.learn(&self.kinds);
                self.take_in_order(request, worker, now, &mut claims, fx)
            }
            None => None,
        };
        let next_due = self.timers.first_key_value().map(|((due, _), _)| *due);
        claims.next_in = next_due.into_iter().chain(next_permit).min().map(|it| it.since(now));
        claims
    }

    /// Fills `claims`; returns when a rate limit lets the next one pass, if one was met.
    fn take_in_order(
        &mut self,
        request: &ClaimRequest,
        worker: usize,
        now: Timestamp,
        claims: &mut Claims,
        fx: &mut Effects,
    ) -> Option<Timestamp> {
        let mut lines = self.lines(request);
        let mut left = Vec::new();
        let mut next_permit: Option<Timestamp> = None;
        let mut scanned = 0;
        let mut warmed = request.max.min(WARMED_AT_ONCE);
        while claims.tasks.len() < request.max && scanned < request.max + SCANNED_BEYOND {
            let heads = lines.iter().enumerate().filter_map(|(index, it)| Some((it.head?, index)));
            let Some((head, index)) = heads.min_by_key(|(head, _)| (head.rank, head.seq)) else { break };
            let number = lines[index].queue;
            if scanned == warmed {
                warmed += self.warm(number, head.lane, request.max - claims.tasks.len());
            }
            let queue = self.queues.at_mut(number);
            let Some(item) = queue.lanes.pop(head.lane, &self.entries) else { break };
            scanned += 1;
            let verdict = self.judge(item.key, request, worker, claims.tasks.is_empty(), now);
            let queue = self.queues.at_mut(number);
            match verdict {
                Verdict::Take | Verdict::TakeAlone => {
                    if let Some(quota) = queue.settings.rate_limit
                        && let (0, next) = quota.take(&mut queue.quota, 1, now)
                    {
                        queue.lanes.put_back(head.lane, item);
                        next_permit = next_permit.into_iter().chain(next).min();
                        lines.swap_remove(index);
                        continue;
                    }
                    let line = &mut lines[index];
                    line.room -= 1;
                    let is_last = line.room == 0 || claims.tasks.len() + 1 == request.max;
                    line.head = if is_last { None } else { queue.lanes.head(self.settings.rank_step, &self.entries) };
                    if claims.tasks.is_empty() {
                        claims.tasks.reserve(request.max.min(queue.ready() + 1));
                    }
                    claims.tasks.push(self.start(item.key, request, now, fx));
                    if matches!(verdict, Verdict::TakeAlone) {
                        self.emptying = None;
                        claims.alone = true;
                        break;
                    }
                }
                Verdict::LeaveToOthers => {
                    left.push((number, head.lane, item));
                    lines[index].head = queue.lanes.head(self.settings.rank_step, &self.entries);
                }
                Verdict::Park => {
                    self.arrive(item.key, TaskStatus::Parked, now, fx);
                    // Its permit may have let another task into any line.
                    for line in lines.iter_mut().filter(|it| it.room > 0) {
                        let lanes = &mut self.queues.at_mut(line.queue).lanes;
                        line.head = lanes.head(self.settings.rank_step, &self.entries);
                    }
                }
                Verdict::WaitUntilIdle => {
                    queue.lanes.put_back(head.lane, item);
                    self.emptying = Some((request.worker, now.after(request.lease)));
                    claims.alone_waiting = true;
                    break;
                }
            }
        }
        for (queue, lane, item) in left.into_iter().rev() {
            self.queues.at_mut(queue).lanes.put_back(lane, item);
        }
        next_permit
    }

    fn lines(&mut self, request: &ClaimRequest) -> Vec<Line> {
        let mut lines = Vec::with_capacity(request.queues.len());
        for (name, most) in request.queues.iter() {
            let Some(number) = self.queues.find(name) else { continue };
            let queue = self.queues.at(number);
            let room = queue.room().min(*most);
            if room > 0 && !queue.paused && lines.iter().all(|it: &Line| it.queue != number) {
                if let Some(lane) = queue.lanes.likely_lane(self.settings.rank_step) {
                    self.warm(number, lane, request.max);
                }
                let queue = self.queues.at_mut(number);
                let head = queue.lanes.head(self.settings.rank_step, &self.entries);
                lines.push(Line { queue: number, room, head });
            }
        }
        lines
    }

    /// Reads the tasks ahead that are probably next, at most `max`, if they are so many that they will not be at hand. How many
    /// need not be thought of before others are.
    fn warm(&self, queue: u32, lane: usize, max: usize) -> usize {
        let ahead = max.min(WARMED_AT_ONCE);
        let queue = self.queues.at(queue);
        if queue.ready() > COLD_FROM {
            self.entries.warm(queue.lanes.next_keys(lane, ahead));
        }
        ahead
    }

    fn judge(&self, key: u32, request: &ClaimRequest, worker: usize, is_first: bool, now: Timestamp) -> Verdict {
        let entry = self.entries.at(key);
        if !self.workers.knows(worker, entry.kind) {
            let known = self.workers.anyone_knows(entry.kind, now);
            return if known { Verdict::LeaveToOthers } else { Verdict::Park };
        }
        if entry.record.crashes < self.settings.crashes_until_alone {
            Verdict::Take
        } else if request.idle && is_first {
            Verdict::TakeAlone
        } else if self.is_left_to_another(request.worker, now) {
            Verdict::LeaveToOthers
        } else {
            Verdict::WaitUntilIdle
        }
    }

    /// Whether another worker already empties itself for what must run alone: one at a time is enough.
    fn is_left_to_another(&self, worker: WorkerId, now: Timestamp) -> bool {
        self.emptying.is_some_and(|(it, until)| it != worker && until > now)
    }

    /// Hands out a task that was popped from its lane.
    fn start(&mut self, key: u32, request: &ClaimRequest, now: Timestamp, fx: &mut Effects) -> Claimed {
        let record = &mut self.entries.at_mut(key).record;
        let lease_until = now.after(request.lease);
        record.attempt += 1;
        record.fence = record.fence.next();
        record.started_at = Some(now);
        record.lease_until = Some(lease_until);
        record.worker = Some(request.worker);
        record.progress = None;
        self.first_lease = if self.running.is_empty() { lease_until } else { self.first_lease.min(lease_until) };
        self.arrive(key, TaskStatus::Running, now, fx);
        let entry = self.entries.at(key);
        self.kinds.at_mut(entry.kind).started += 1;
        self.queues.at_mut(entry.queue).departed(1, now);
        self.claimed(self.entries.at(key), now)
    }
}
