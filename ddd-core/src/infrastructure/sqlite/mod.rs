//! Tasks in an SQLite file.
//!
//! Read in this order: `schema.sql`, `writer` (the thread, and its transactions), `session` (one request: a task leaves one status
//! and arrives at another), `enqueue`, `claim`, `finish`, `control`, `upkeep`; `reader`, `query` and `list`; `store`.

mod claim;
mod connection;
mod control;
mod deadline;
mod enqueue;
mod error;
mod finish;
mod idempotency;
mod inbox;
mod keys;
mod known;
mod lines;
mod list;
mod lookout;
mod migrations;
mod names;
mod options;
#[cfg(test)]
mod plans;
mod query;
mod reader;
mod row;
mod schedules;
mod session;
mod shared;
mod statistics;
mod store;
mod summary;
mod tallies;
mod transaction;
mod upkeep;
mod workers;
mod writer;

pub use options::{Durability, SqliteOptions};
pub use store::SqliteStore;
