//! Tasks in this process's memory.
//!
//! Read in this order: `shared` (the lock, and the intake before it), `entry` and `kept` (a task and its place), `state` (a task leaves
//! one place and arrives at another), `claim`, `finish`, `control`, `upkeep`, `store`.

mod again;
mod arena;
mod claim;
mod control;
mod effects;
mod enqueue;
mod entries;
mod entry;
mod finish;
mod history;
mod idempotency;
mod index;
mod intake;
mod kept;
mod keys;
mod kinds;
mod lanes;
mod list;
mod position;
mod query;
mod queues;
mod recent;
mod results;
mod schedules;
mod shared;
mod shown;
mod state;
mod store;
mod transaction;
mod upkeep;
mod watchers;
mod workers;

pub use store::MemoryStore;
pub use transaction::MemoryTransaction;
