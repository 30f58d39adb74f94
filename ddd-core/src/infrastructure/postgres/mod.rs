//! Tasks in PostgreSQL.
//!
//! Read in this order: `schema.sql`, `calls` (how connections are used), `session` (one transaction: load, change, save), `load`,
//! `gather`, `enqueue_plain` and `enqueue`, `claim` and `lines`, `finish_plain` and `finish`, `control`, `upkeep`, `store`. What is plain takes one statement;
//! what is not goes through a session, whose rules are those of the store in memory.

mod acquire;
mod alone;
mod ambient;
mod batch;
mod beliefs;
mod calls;
mod claim;
mod claimed;
mod connections;
mod control;
mod core;
mod enlist;
mod enqueue;
mod enqueue_plain;
mod error;
mod finish;
mod finish_plain;
mod fold;
mod gather;
mod gathering;
mod home;
mod idempotency;
mod insert;
mod insert_plain;
mod lines;
mod list;
mod lists;
mod load;
mod locks;
mod migrations;
mod names;
mod notice;
mod notices;
mod numbers;
mod options;
mod outbox;
mod permit;
mod permits;
mod query;
mod queues;
mod ranks;
mod reap;
mod row;
mod schedules;
mod sent;
mod session;
mod statistics;
mod store;
mod summary;
mod tallies;
mod texts;
mod turns;
mod unique;
mod upkeep;
mod url;
mod vacuum;
mod vacuuming;
mod workers;

pub use enlist::PostgresConnection;
pub use options::PostgresOptions;
pub use store::PostgresStore;
