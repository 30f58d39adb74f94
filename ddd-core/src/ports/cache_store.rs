use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::store::StoreFuture;
use crate::domain::Tag;

/// Where the entries of caches with `scope = "shared"` are kept, so that all processes have them in common. Each process keeps
/// copies of what it asked for lately, and forgets them when the store tells it to.
///
/// The contract:
///
/// - An entry has one address: its policy and its key. Batches are answered in their order, each item for itself.
/// - What was invalidated is never answered again. An invalidation of a tag is one of all entries whose last write carried it.
/// - Whoever finds nothing fills: with each answer it gets a [ticket](CacheTicket), which goes with the write of what it made. A
///   write is [`Outdated`](CacheWritten::Outdated), and stores nothing, if since the ticket was given its key, one of its
///   tags, or all of its policy were invalidated. That is decided in one step that no other process can come between.
/// - Of two writes with good tickets the later one stays.
/// - A store may forget that there was an invalidation, an hour after it or later, if it then takes every ticket from before for
///   outdated. A ticket that it cannot have given, because it lost what it knew, is outdated as well.
/// - Time is the store's own: it says how long ago an entry was written, whatever the clocks of the processes say. After
///   `keep_for` the entry is gone and takes no room.
/// - Each invalidation is told to all listeners, in every process, after it has taken effect: so a process that was told, and
///   then asks, gets nothing old. The one that asked for it may be told as well. What cannot be told to a listener for certain,
///   such as after a connection was lost, is [told as lost](CacheListener::lost).
/// - A store that is away answers with an error, and does not panic. It may be asked again at any time.
///
/// `cache_store_conformance!` in `ddd_core::testing` is this contract as tests.
pub trait CacheStore: Send + Sync + 'static {
    /// A word for logs and figures, such as `memory`.
    fn kind(&self) -> &'static str;

    /// Looks entries up.
    fn get(&self, addresses: Vec<CacheAddress>) -> StoreFuture<Vec<CacheAnswer>>;

    /// Writes entries.
    fn put(&self, writes: Vec<CacheWrite>) -> StoreFuture<Vec<CacheWritten>>;

    /// Forgets entries, and tells the listeners. Told twice, it is done twice, which does no harm.
    fn invalidate(&self, invalidations: Vec<CacheInvalidation>) -> StoreFuture<()>;

    /// From now on, this listener is told of invalidations, until it is dropped. The same one may come several times.
    fn attach(&self, listener: Weak<dyn CacheListener>);
}

/// Takes what a store tells a process. Its methods return at once, and do not call the store.
pub trait CacheListener: Send + Sync {
    /// These took effect.
    fn invalidated(&self, invalidations: &[CacheInvalidation]);

    /// Some may have been missed.
    fn lost(&self);
}

/// Where an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CacheAddress {
    /// The name of the policy: the same in all processes.
    pub policy: Arc<str>,
    /// The key, as text.
    pub key: Arc<str>,
}

impl CacheAddress {
    /// The entry of this key.
    #[must_use]
    pub fn new(policy: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        Self { policy: policy.into(), key: key.into() }
    }
}

/// What a store knows of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheAnswer {
    /// The entry, if there is one.
    pub found: Option<CacheFound>,
    /// What a fill that begins now is known by.
    pub ticket: CacheTicket,
}

impl CacheAnswer {
    /// With this entry, or without one.
    #[must_use]
    pub const fn new(found: Option<CacheFound>, ticket: CacheTicket) -> Self {
        Self { found, ticket }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFound {
    /// What was written.
    pub envelope: Arc<[u8]>,
    /// How long ago, by the store's clock.
    pub age: Duration,
}

impl CacheFound {
    /// This was written so long ago.
    #[must_use]
    pub const fn new(envelope: Arc<[u8]>, age: Duration) -> Self {
        Self { envelope, age }
    }
}

/// When a fill began, as the store counts it. Only the store that gave it knows what the numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CacheTicket {
    /// How many invalidations there had been.
    pub sequence: u64,
    /// What time it was, in milliseconds.
    pub millis: u64,
}

impl CacheTicket {
    /// After so many invalidations, at this time.
    #[must_use]
    pub const fn new(sequence: u64, millis: u64) -> Self {
        Self { sequence, millis }
    }
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheWrite {
    /// Where.
    pub address: CacheAddress,
    /// By what it can be invalidated together with others.
    pub tags: Vec<Tag>,
    /// What is kept, as it is.
    pub envelope: Arc<[u8]>,
    /// For how long; `None` is until it is invalidated.
    pub keep_for: Option<Duration>,
    /// When its fill began. `None`: it is no fill, but a value that holds from now on. That is an invalidation of the key and a
    /// write in one step, and it is told to the listeners as one.
    pub ticket: Option<CacheTicket>,
    /// As [`CacheInvalidation::origin`].
    pub origin: u64,
}

impl CacheWrite {
    /// A value that holds from now on, without tags, for ever.
    #[must_use]
    pub fn new(address: CacheAddress, envelope: impl Into<Arc<[u8]>>, origin: u64) -> Self {
        Self { address, tags: Vec::new(), envelope: envelope.into(), keep_for: None, ticket: None, origin }
    }

    /// With these tags.
    #[must_use]
    pub fn tagged(mut self, tags: Vec<Tag>) -> Self {
        self.tags = tags;
        self
    }

    /// Kept for so long.
    #[must_use]
    pub const fn keep_for(mut self, keep_for: Option<Duration>) -> Self {
        self.keep_for = keep_for;
        self
    }

    /// As what a fill made that began then.
    #[must_use]
    pub const fn filled(mut self, ticket: CacheTicket) -> Self {
        self.ticket = Some(ticket);
        self
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheWritten {
    /// It is stored.
    Stored,
    /// It is not, because its fill began before an invalidation.
    Outdated,
}

/// What is to be forgotten, or was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CacheInvalidation {
    /// The name of the policy.
    pub policy: Arc<str>,
    /// What of it.
    pub target: CacheTarget,
    /// Who asked for it: a number that each process draws, so that it knows its own.
    pub origin: u64,
}

impl CacheInvalidation {
    /// Of the policy of this name.
    #[must_use]
    pub fn new(policy: impl Into<Arc<str>>, target: CacheTarget, origin: u64) -> Self {
        Self { policy: policy.into(), target, origin }
    }
}

/// Which entries of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheTarget {
    /// That of this key.
    Key(Arc<str>),
    /// All with this tag.
    Tag(Tag),
    /// All.
    All,
}
