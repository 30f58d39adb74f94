//! Caches that processes have in common: this process's table above, a [`CacheStore`](crate::CacheStore) below.
//!
//! Who looks finds its process's own copy, else the store's entry, else runs the body, and gives what it made to both. Read in this
//! order: [`Hub`] (the store, for all caches of the process), [`Link`] (one table's way to it), the calls in `call`.

mod call;
mod entries;
mod hub;
mod link;
mod owed;
mod place;

pub(super) use entries::SharedEntriesOf;
pub(super) use hub::Hub;
pub(crate) use hub::set_cache_store;
pub(super) use link::Link;
pub(super) use place::{Place, Said};
