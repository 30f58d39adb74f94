use std::time::Duration;

use parking_lot::Mutex;

use crate::{
    domain::{Fingerprint, Tag},
    ports::{CacheAddress, CacheTicket},
};

/// Where the value of a fill goes in the store, and what the store said when the fill began.
pub(in super::super) struct Place<R> {
    pub(in super::super) address: CacheAddress,
    /// Of values of this type, under this key.
    pub(super) fingerprint: Fingerprint,
    pub(super) tags: Vec<Tag>,
    said: Mutex<Option<Said<R>>>,
}

/// What a store said.
pub(in super::super) struct Said<R> {
    /// With it, what the body makes may be stored.
    pub(in super::super) ticket: Option<CacheTicket>,
    /// The value comes from the store, and is so old. `None`: the body is to make it.
    pub(in super::super) age: Option<Duration>,
    /// A value that stands in for a failure.
    pub(in super::super) old: Option<R>,
}

impl<R> Place<R> {
    pub(super) const fn new(address: CacheAddress, fingerprint: Fingerprint, tags: Vec<Tag>) -> Self {
        Self { address, fingerprint, tags, said: Mutex::new(None) }
    }

    /// Notes what the store said. Whoever runs the body after another one gave up has asked anew.
    pub(super) fn note(&self, said: Said<R>) {
        let before = self.said.lock().replace(said);
        drop(before);
    }

    /// What the store said to the one who ran the body.
    pub(in super::super) fn said(&self) -> Option<Said<R>> {
        self.said.lock().take()
    }
}
