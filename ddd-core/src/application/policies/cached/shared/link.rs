use std::{
    any::type_name,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{
    super::{common::Common, life::Life},
    hub::Hub,
    place::{Place, Said},
};
use crate::{
    application::guard::discard,
    domain::{CacheEnvelope, Fingerprint, Freshness, Moment, Stored, Tag, nanos},
    ports::{
        Addressed, BoxError, CacheAddress, CacheFound, CacheTarget, CacheTicket, CacheWrite, Codec, Coded, Failure,
    },
};

/// A table's way to the store that processes share.
pub(in super::super) struct Link<K, R> {
    hub: Arc<Hub>,
    common: Arc<Common>,
    policy: Arc<str>,
    codec: Codec<R>,
    address: fn(&K) -> serde_json::Result<String>,
    check: fn(&K) -> u128,
}

impl<K, R> Link<K, R> {
    /// For the policy of this name.
    pub(in super::super) fn new(policy: &str, common: &Arc<Common>, codec: Codec<R>) -> Self
    where
        K: Addressed,
    {
        let (hub, policy) = (Hub::current(), Arc::from(policy));
        hub.register(&policy, common);
        Self { hub, common: common.clone(), policy, codec, address: K::address, check: K::check }
    }

    /// The place of a key in the store; `None` if the key cannot be written, so that this process keeps the entry to itself.
    pub(in super::super) fn place(&self, key: &K, tags: Vec<Tag>) -> Option<Place<R>> {
        self.at(|| (self.address)(key), (self.check)(key), tags)
    }

    /// The same for a key that is only borrowed.
    pub(super) fn place_of(&self, key: &impl Addressed, tags: Vec<Tag>) -> Option<Place<R>> {
        self.at(|| key.address(), key.check(), tags)
    }

    fn at(
        &self,
        address: impl FnOnce() -> serde_json::Result<String>,
        check: u128,
        tags: Vec<Tag>,
    ) -> Option<Place<R>> {
        let address = self.contained(|| address().map_err(Into::into))?;
        let fingerprint = Fingerprint::of([type_name::<R>().as_bytes(), &check.to_le_bytes()]);
        Some(Place::new(CacheAddress::new(self.policy.clone(), address), fingerprint, tags))
    }

    /// The value that the store has, for a fill that begins now. `old` is the entry that is to be filled again.
    pub(super) async fn look(&self, place: &Place<R>, old: Option<&Life>) -> Option<R> {
        let figures = &self.common.figures.shared;
        let mut said = Said { ticket: None, age: None, old: None };
        let Some(answer) = self.hub.look(place.address.clone()).await else {
            figures.unanswered();
            place.note(said);
            return None;
        };
        said.ticket = Some(answer.ticket);
        let found = answer.found.and_then(|it| self.read(place, &it));
        if let Some((value, freshness, age)) = found {
            let is_served = match (freshness, old) {
                (Freshness::Fresh, Some(old)) => !old.is_wanted_anew(),
                (Freshness::Fresh | Freshness::Due, None) => true,
                _ => false,
            };
            if is_served {
                figures.hit();
                said.age = Some(age);
                place.note(said);
                return Some(value);
            }
            said.old = Some(value).filter(|_| freshness != Freshness::Gone);
        }
        figures.missed();
        place.note(said);
        None
    }

    /// The value that a call would be answered with by the store.
    pub(super) async fn peek(&self, place: &Place<R>) -> Option<R> {
        let found = self.hub.look(place.address.clone()).await?.found?;
        let (value, freshness, _) = self.read(place, &found)?;
        matches!(freshness, Freshness::Fresh | Freshness::Due).then_some(value)
    }

    /// Gives what a fill made to the store.
    pub(in super::super) fn keep(&self, place: &Place<R>, value: &R, stored: Stored, ticket: CacheTicket) {
        if let Some(write) = self.write(place, value, stored) {
            let common = self.common.clone();
            self.hub.put(write.filled(ticket), move || common.figures.shared.unanswered());
        }
    }

    /// Gives a value to the store that holds from now on.
    pub(super) async fn replace(&self, write: CacheWrite) {
        self.hub.replace(write).await;
    }

    /// No entry of this process that began before is good any more, whether it has its value or not.
    pub(super) fn outdate(&self, place: &Place<R>) {
        self.common.addresses.invalidate(&Tag::from(&*place.address.key));
    }

    /// Lets all processes forget the value of a key.
    pub(super) async fn forget(&self, place: &Place<R>) {
        self.hub.invalidate(&self.policy, CacheTarget::Key(place.address.key.clone())).await;
    }

    /// A value as it goes to the store, if it does.
    pub(super) fn write(&self, place: &Place<R>, value: &R, stored: Stored) -> Option<CacheWrite> {
        let spans = self.common.spans();
        let keep_for = match stored {
            Stored::Positive => spans.ttl.saturating_add(spans.stale_on_error),
            Stored::Negative | Stored::Error => spans.negative_ttl,
            Stored::No => return None,
        };
        let bytes = self.contained(|| {
            let value = match (self.codec.write)(value)? {
                Coded::Apart => return Ok(None),
                Coded::Nothing => None,
                Coded::Value(value) => Some(value),
            };
            Ok(Some(CacheEnvelope::new(place.fingerprint, value).to_bytes()?))
        });
        let write = CacheWrite::new(place.address.clone(), bytes??, self.hub.origin());
        let keep_for = (keep_for < u64::MAX).then(|| Duration::from_nanos(keep_for));
        Some(write.tagged(place.tags.clone()).keep_for(keep_for))
    }

    /// The value in an entry of the store, what it is good for, and how old it is; `None` if it cannot be read.
    fn read(&self, place: &Place<R>, found: &CacheFound) -> Option<(R, Freshness, Duration)> {
        let envelope = CacheEnvelope::read(&found.envelope, place.fingerprint);
        if envelope.is_none() {
            tracing::debug!(policy = &*self.policy, "an entry in the store is of another type, key or format");
        }
        let envelope = envelope?;
        let value = self.contained(|| (self.codec.read)(envelope.value.as_deref()).map_err(Into::into))?;
        // Only the age counts, by the store's clock.
        let age = nanos(found.age);
        let (now, filled) = (Moment::MAX, Moment::from_nanos(u64::MAX - age));
        let freshness = self.common.spans().freshness(now, filled, now, envelope.value.is_none());
        Some((value, freshness, found.age))
    }

    /// What users wrote to write and read their types. If it fails or panics, this process keeps the entry to itself.
    fn contained<T>(&self, act: impl FnOnce() -> Result<T, BoxError>) -> Option<T> {
        let error = match catch_unwind(AssertUnwindSafe(act)) {
            Ok(Ok(it)) => return Some(it),
            Ok(Err(error)) => error.to_string(),
            Err(payload) => {
                let message = Failure::of_panic(&*payload).message;
                discard(payload);
                message
            }
        };
        self.common.figures.shared.unanswered();
        tracing::debug!(policy = &*self.policy, error, "a key or a value of a shared cache cannot be written or read");
        None
    }
}
