//! `#[cached]`: single flight, freshness, invalidation, bounds, figures.

mod cancels;
mod control;
mod freshness;
mod handles;
mod herd;
mod interleavings;
mod keys;
mod many;
mod rules;
mod sync;
mod values;
mod zipf;
