use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::sync::SemaphorePermit;

use super::{
    super::ambient,
    entry::Entry,
    flight::{End, Flight},
    lookup::Lookup,
    shared::Said,
    table::{Look, Table},
};
use crate::{
    domain::{Freshness, Moment, Stored, Tag},
    ports::{CacheRules, CacheTicket, Refusal},
};

/// A caller's part in a fill: it leads it, or waits for it. Given back when dropped.
pub(super) struct Seat<K: Send + Sync + 'static, R: Send + Sync + 'static> {
    pub(super) table: Arc<Table<K, R>>,
    pub(super) flight: Arc<Flight<K, R>>,
    leads: bool,
}

/// What a panic leaves behind.
pub(super) type Payload = Box<dyn Any + Send>;

/// What the body made; a panic is caught.
pub(super) type Made<R, X> = Result<Result<R, X>, Payload>;

/// What to do with a key that there is no value of.
pub(super) enum Place<K: Send + Sync + 'static, R: Send + Sync + 'static, M, W> {
    /// To run the body.
    Lead(Seat<K, R>, W),
    /// To wait for who runs it.
    Wait(Seat<K, R>, Work<M, W>),
    /// To run the body apart from the cache: the caller is in the body of the same key.
    Within(Work<M, W>),
}

enum Joined<K: Send + Sync + 'static, R: Send + Sync + 'static> {
    Waits(Seat<K, R>),
    Within,
    Not,
}

/// A caller's own body, which it may not need.
pub(super) enum Work<M, W> {
    Unmade(M),
    Made(W),
}

impl<M: FnOnce() -> (Vec<Tag>, W), W> Work<M, W> {
    pub(super) fn begun(self) -> W {
        match self {
            Self::Unmade(make) => make().1,
            Self::Made(it) => it,
        }
    }
}

impl<K, R> Seat<K, R>
where
    K: Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    /// Takes a seat in the fill of a key; if none runs, begins one with what `make` makes. `old` is the value that stands in
    /// for a failure.
    pub(super) fn take<Q, M, W>(
        table: &Arc<Table<K, R>>,
        hash: u64,
        key: Q,
        old: Option<Arc<Entry<K, R>>>,
        make: M,
    ) -> Place<K, R, M, W>
    where
        Q: Lookup<Key = K>,
        M: FnOnce() -> (Vec<Tag>, W),
    {
        let mut seen = table.flights.of(hash);
        match Self::join(table, &seen, |it| key.is(it)) {
            Joined::Waits(seat) => return Place::Wait(seat, Work::Unmade(make)),
            Joined::Within => return Place::Within(Work::Unmade(make)),
            Joined::Not => {}
        }
        let (tags, work) = make();
        let flight = table.flight(hash, key.into_key(), tags, old);
        loop {
            let same = |it: &K| flight.entry.key() == Some(it);
            match Self::join(table, &seen, same) {
                Joined::Waits(seat) => return Place::Wait(seat, Work::Made(work)),
                Joined::Within => return Place::Within(Work::Made(work)),
                Joined::Not => {}
            }
            // One that is left of this key is of a time before an invalidation.
            let outdated = seen.iter().find(|it| it.entry.key().is_some_and(same));
            if table.flights.begin(&flight, &seen, outdated) {
                return Place::Lead(Self { table: table.clone(), flight, leads: true }, work);
            }
            seen = table.flights.of(hash);
        }
    }

    fn join(table: &Arc<Table<K, R>>, seen: &[Arc<Flight<K, R>>], same: impl Fn(&K) -> bool) -> Joined<K, R> {
        let is_meant =
            |it: &&Arc<Flight<K, R>>| table.common.is_current(&it.entry.life) && it.entry.key().is_some_and(&same);
        match seen.iter().find(is_meant) {
            Some(flight) if flight.is_led_here() => Joined::Within,
            Some(flight) if table.flights.join(flight) => {
                Joined::Waits(Self { table: table.clone(), flight: flight.clone(), leads: false })
            }
            _ => Joined::Not,
        }
    }

    /// Looks for a value that was stored between the caller's look and its seat; with one, the fill ends.
    pub(super) fn look_again(&self, now: Moment, rules: &impl CacheRules<R>) -> Option<R> {
        let same = |it: &K| self.flight.entry.key() == Some(it);
        let (Look::Hit(value) | Look::Due(value, _)) = self.table.look(self.flight.entry.hash, same, now, rules) else {
            return None;
        };
        if let Some(copy) = rules.share(&value) {
            self.end(End::Apart(copy));
        }
        Some(value)
    }

    /// Waits until the fill ends, or until the turn comes to run the body; answers whether it is the latter.
    pub(super) async fn wait(&mut self) -> bool {
        let turn = self.flight.turn.acquire().await;
        self.leads = turn.is_ok();
        // The turn is given back when the seat is.
        turn.map(SemaphorePermit::forget).is_ok()
    }

    /// How the fill ended; `None` if that cannot be shared.
    pub(super) fn end_of<X: Refusal>(&self, rules: &impl CacheRules<R>) -> Option<Made<R, X>> {
        let shared = |value: Option<&R>| value.and_then(|it| rules.share(it)).map(|it| Ok(Ok(it)));
        match self.flight.end.get()? {
            End::Stored => shared(self.flight.entry.value()),
            End::Apart(value) => shared(Some(value)),
            End::Old => {
                self.count_stale();
                shared(self.flight.old.as_ref().and_then(|it| it.value()))
            }
            End::Refused(refused) => X::from_refused(refused.clone()).map(|it| Ok(Err(it))),
            End::Panicked(message) => Some(Err(Box::new(message.clone()))),
        }
    }

    /// Ends the fill with what the body made, which began at `began`; answers with what its caller gets.
    ///
    /// A value that cannot be shared ends nothing: the next who waits takes the turn.
    pub(super) fn conclude<X: Refusal>(
        self,
        rules: &impl CacheRules<R>,
        began: Moment,
        made: Made<R, X>,
    ) -> Made<R, X> {
        let now = ambient::now();
        let said = self.flight.place.as_ref().and_then(|it| it.said());
        let is_made_here = said.as_ref().is_none_or(|it| it.age.is_none());
        let concluded = catch_unwind(AssertUnwindSafe(|| self.settle(rules, now, made, said))).unwrap_or_else(Err);
        if is_made_here {
            let failed = !matches!(&concluded, Ok((_, false)));
            self.table.common.figures.filled(now.since(began), failed);
        }
        let answer = match concluded {
            Ok((answer, _)) => Ok(answer),
            Err(payload) => {
                self.end(End::Panicked(message_of(&*payload)));
                Err(payload)
            }
        };
        let table = self.table.clone();
        drop(self);
        table.bury();
        answer
    }

    /// Answers with what the caller gets, and whether the body failed. `said` is what the store said that processes share.
    fn settle<X: Refusal>(
        &self,
        rules: &impl CacheRules<R>,
        now: Moment,
        made: Made<R, X>,
        said: Option<Said<R>>,
    ) -> Result<(Result<R, X>, bool), Payload> {
        let Said { ticket, age, old } = said.unwrap_or(Said { ticket: None, age: None, old: None });
        let value = match made? {
            Ok(value) => value,
            Err(refusal) => {
                if let Some(old) = self.old_value(rules, old) {
                    return Ok((Ok(old), true));
                }
                self.end(End::Refused(refusal.to_refused()));
                return Ok((Err(refusal), true));
            }
        };
        let stored = rules.is_stored(&value);
        let failed = stored == Stored::Error;
        if failed && let Some(old) = self.old_value(rules, old) {
            return Ok((Ok(old), true));
        }
        let keeps = self.table.common.keeps(stored);
        if let Some(copy) = rules.share(&value) {
            // What others made is as old here as there.
            match age.map_or(Some(now), |age| now.before(age)) {
                Some(filled) if keeps => {
                    self.table.store(&self.flight.entry, copy, rules.weight(&value), stored, filled);
                    self.end(End::Stored);
                }
                _ => self.end(End::Apart(copy)),
            }
        }
        if let (None, Some(ticket)) = (age, ticket.filter(|_| keeps)) {
            self.give(&value, stored, ticket);
        }
        Ok((Ok(value), failed))
    }

    /// Gives a value to the store that processes share.
    fn give(&self, value: &R, stored: Stored, ticket: CacheTicket) {
        if let (Some(link), Some(place)) = (self.table.link(), &self.flight.place)
            && self.table.common.is_current(&self.flight.entry.life)
        {
            link.keep(place, value, stored, ticket);
        }
    }

    /// Ends the fill with the old value, if there is one that is still good for it; else with that of the store.
    fn old_value(&self, rules: &impl CacheRules<R>, of_store: Option<R>) -> Option<R> {
        if let Some(own) = self.own_old_value(rules) {
            return Some(own);
        }
        let old = of_store.filter(|_| self.table.common.is_current(&self.flight.entry.life))?;
        let copy = rules.share(&old)?;
        self.count_stale();
        self.end(End::Apart(copy));
        Some(old)
    }

    fn own_old_value(&self, rules: &impl CacheRules<R>) -> Option<R> {
        let old = self.flight.old.as_ref().filter(|it| self.table.common.is_current(&it.life))?;
        let value = rules.share(old.value()?)?;
        self.count_stale();
        self.end(End::Old);
        Some(value)
    }

    /// Counts an old value that is served, unless it is fresh and only its refresh failed.
    fn count_stale(&self) {
        let common = &self.table.common;
        let is_fresh = |it: &Arc<Entry<K, R>>| common.freshness(&it.life, ambient::now()) != Freshness::Stale;
        if !self.flight.old.as_ref().is_some_and(is_fresh) {
            common.figures.served_stale();
        }
    }

    fn end(&self, end: End<R>) {
        let second = self.flight.end.set(end);
        self.table.flights.remove(&self.flight);
        self.flight.turn.close();
        self.end_refresh();
        drop(second);
    }
}

impl<K, R> Seat<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn end_refresh(&self) {
        if let Some(old) = &self.flight.old {
            old.life.end_refresh();
        }
    }
}

impl<K, R> Drop for Seat<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if self.leads && self.flight.end.get().is_none() {
            // The next who waits takes the turn.
            self.flight.turn.add_permits(1);
            self.end_refresh();
        }
        self.table.flights.leave(&self.flight);
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("the body panicked").to_owned()
}
