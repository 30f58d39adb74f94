//! The way of a call of a shared cache whose value this process does not have.

use std::{future::Future, hash::Hash};

use super::super::{
    fill::{Call, Next},
    lookup::Lookup,
    run,
    seat::{Place, Seat},
    work::IntoFill,
};
use crate::ports::{CacheRules, Refusal};

/// What the store has, else what the body makes. What the store says is noted in the flight, for the one who ends it.
fn asked_first<K, R, X, F>(seat: &Seat<K, R>, body: F) -> impl Future<Output = Result<R, X>> + use<K, R, X, F>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
    F: Future<Output = Result<R, X>>,
{
    let (table, flight) = (seat.table.clone(), seat.flight.clone());
    async move {
        if let (Some(link), Some(place)) = (table.link(), flight.place.as_deref()) {
            let old = flight.old.as_ref().map(|it| &it.life);
            if let Some(value) = link.look(place, old).await {
                return Ok(value);
            }
        }
        drop((table, flight));
        body.await
    }
}

impl<K, R> Call<K, R>
where
    K: Eq + Hash + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    pub(in super::super) async fn driven_shared<Q, X, C, F>(
        self,
        key: Q,
        rules: C,
        make: impl FnOnce() -> F,
    ) -> Result<R, X>
    where
        Q: Lookup<Key = K>,
        X: Refusal,
        C: CacheRules<R>,
        F: IntoFill,
        F::Future: Future<Output = Result<R, X>>,
    {
        match self.next(key, &rules, || make().into_fill().parts()) {
            Next::Hit(value) => Ok(value),
            Next::Refresh(_, seat, body) | Next::Fill(Place::Lead(seat, body)) => {
                let body = asked_first(&seat, body);
                run::driven(seat, &rules, body).await
            }
            Next::Fill(Place::Wait(mut seat, work)) => {
                if seat.wait().await {
                    let body = asked_first(&seat, work.begun());
                    return run::driven(seat, &rules, body).await;
                }
                match seat.end_of(&rules) {
                    Some(made) => run::answer(made),
                    None => work.begun().await,
                }
            }
            Next::Fill(Place::Within(work)) => work.begun().await,
        }
    }

    pub(in super::super) async fn detached_shared<Q, X, C, F>(
        self,
        key: Q,
        rules: C,
        make: impl FnOnce() -> F,
    ) -> Result<R, X>
    where
        Q: Lookup<Key = K>,
        X: Refusal,
        C: CacheRules<R> + Send + 'static,
        F: IntoFill,
        F::Future: Future<Output = Result<R, X>> + Send + 'static,
    {
        match self.next(key, &rules, || make().into_fill().parts()) {
            Next::Hit(value) => Ok(value),
            Next::Refresh(value, seat, body) => {
                let body = asked_first(&seat, body);
                run::refreshed(value, seat, rules, body).await
            }
            Next::Fill(Place::Lead(seat, body)) => {
                let body = asked_first(&seat, body);
                run::detached(seat, rules, body).await
            }
            Next::Fill(Place::Wait(mut seat, work)) => {
                if seat.wait().await {
                    let body = asked_first(&seat, work.begun());
                    return run::detached(seat, rules, body).await;
                }
                match seat.end_of(&rules) {
                    Some(made) => run::answer(made),
                    None => work.begun().await,
                }
            }
            Next::Fill(Place::Within(work)) => work.begun().await,
        }
    }
}
