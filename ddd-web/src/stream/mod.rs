//! Streams of transitions, as Server-Sent Events.
//!
//! Read in this order: `position`, `ring` (the newest transitions), `hub` (one subscription for all streams), `event` (what is said),
//! `streams` (bounds), `all`, `one`.

mod all;
mod event;
mod hub;
mod one;
mod outlet;
mod owners;
mod position;
mod ring;
mod streams;
mod wanted;

pub(crate) use all::all;
pub(crate) use one::one;
pub(crate) use streams::{StreamLimits, Streams};
