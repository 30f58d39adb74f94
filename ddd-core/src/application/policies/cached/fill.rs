//! The way of a call whose value is not at hand.

use std::{hash::Hash, sync::Arc};

use super::{
    lookup::Lookup,
    run,
    seat::{Place, Seat},
    table::{Look, Table},
    work::IntoFill,
};
use crate::{
    domain::{Moment, Tag},
    ports::{CacheRules, Refusal},
};

/// A call, from the moment when the front table had no value for it.
pub(super) struct Call<K: Send + Sync + 'static, R: Send + Sync + 'static> {
    pub(super) table: Arc<Table<K, R>>,
    pub(super) hash: u64,
    pub(super) now: Moment,
}

/// What a call comes to.
pub(super) enum Next<K: Send + Sync + 'static, R: Send + Sync + 'static, M, W> {
    /// To be answered with this value.
    Hit(R),
    /// To be answered with this value, after the fill that the seat leads was begun in the background.
    Refresh(R, Seat<K, R>, W),
    /// To find its place, and go on.
    Fill(Place<K, R, M, W>),
}

impl<K, R> Call<K, R>
where
    K: Eq + Hash + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    /// Looks, and takes a seat if there is nothing to be served. Single flight holds because nothing can end unseen between
    /// the look and the seat.
    pub(super) fn next<Q, M, W>(&self, key: Q, rules: &impl CacheRules<R>, make: M) -> Next<K, R, M, W>
    where
        Q: Lookup<Key = K>,
        M: FnOnce() -> (Vec<Tag>, W),
    {
        let figures = &self.table.common.figures;
        let ended = self.table.flights.ended(self.hash);
        match self.table.look(self.hash, |it| key.is(it), self.now, rules) {
            Look::Hit(value) => {
                figures.hit();
                Next::Hit(value)
            }
            Look::Due(value, old) => {
                figures.hit();
                match Seat::take(&self.table, self.hash, key, Some(old.clone()), make) {
                    Place::Lead(seat, work) => {
                        figures.refreshed();
                        Next::Refresh(value, seat, work)
                    }
                    Place::Wait(..) | Place::Within(_) => {
                        old.life.end_refresh();
                        Next::Hit(value)
                    }
                }
            }
            Look::Miss(old) => {
                let place = Seat::take(&self.table, self.hash, key, old, make);
                if let Place::Lead(seat, _) = &place
                    && self.table.flights.ended(self.hash) != ended
                    && let Some(value) = seat.look_again(self.now, rules)
                {
                    figures.hit();
                    return Next::Hit(value);
                }
                figures.missed();
                Next::Fill(place)
            }
        }
    }

    pub(super) async fn driven<Q, X, C, F>(self, key: Q, rules: C, make: impl FnOnce() -> F) -> Result<R, X>
    where
        Q: Lookup<Key = K>,
        X: Refusal,
        C: CacheRules<R>,
        F: IntoFill,
        F::Future: Future<Output = Result<R, X>>,
    {
        match self.next(key, &rules, || make().into_fill().parts()) {
            Next::Hit(value) => Ok(value),
            // In the caller's place: the body borrows from the caller.
            Next::Refresh(_, seat, body) | Next::Fill(Place::Lead(seat, body)) => run::driven(seat, &rules, body).await,
            Next::Fill(Place::Wait(mut seat, work)) => {
                if seat.wait().await {
                    return run::driven(seat, &rules, work.begun()).await;
                }
                match seat.end_of(&rules) {
                    Some(made) => run::answer(made),
                    None => work.begun().await,
                }
            }
            Next::Fill(Place::Within(work)) => work.begun().await,
        }
    }

    pub(super) async fn detached<Q, X, C, F>(self, key: Q, rules: C, make: impl FnOnce() -> F) -> Result<R, X>
    where
        Q: Lookup<Key = K>,
        X: Refusal,
        C: CacheRules<R> + Send + 'static,
        F: IntoFill,
        F::Future: Future<Output = Result<R, X>> + Send + 'static,
    {
        match self.next(key, &rules, || make().into_fill().parts()) {
            Next::Hit(value) => Ok(value),
            Next::Refresh(value, seat, body) => run::refreshed(value, seat, rules, body).await,
            Next::Fill(Place::Lead(seat, body)) => run::detached(seat, rules, body).await,
            Next::Fill(Place::Wait(mut seat, work)) => {
                if seat.wait().await {
                    return run::detached(seat, rules, work.begun()).await;
                }
                match seat.end_of(&rules) {
                    Some(made) => run::answer(made),
                    None => work.begun().await,
                }
            }
            Next::Fill(Place::Within(work)) => work.begun().await,
        }
    }

    pub(super) fn now<Q, X, B>(
        self,
        key: Q,
        rules: &impl CacheRules<R>,
        tags: impl FnOnce() -> Vec<Tag>,
        body: B,
    ) -> Result<R, X>
    where
        Q: Lookup<Key = K>,
        X: Refusal,
        B: FnOnce() -> Result<R, X>,
    {
        match self.next(key, rules, || (tags(), body)) {
            Next::Hit(value) => Ok(value),
            Next::Refresh(_, seat, body) | Next::Fill(Place::Lead(seat, body)) => run::now(seat, rules, body),
            Next::Fill(Place::Wait(mut seat, work)) => {
                if run::block_on(seat.wait()) {
                    return run::now(seat, rules, work.begun());
                }
                match seat.end_of(rules) {
                    Some(made) => run::answer(made),
                    None => work.begun()(),
                }
            }
            Next::Fill(Place::Within(work)) => work.begun()(),
        }
    }
}
