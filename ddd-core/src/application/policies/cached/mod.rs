//! `#[cached]`: what happens when a function with a cache is called.

mod cell;
mod common;
mod entries;
mod entry;
mod figures;
mod fill;
mod flight;
mod front;
mod front_table;
mod handle;
mod handle_rules;
mod hash;
mod kept;
mod life;
mod lookup;
mod policy;
mod run;
mod seat;
mod shared;
mod state;
mod table;
mod tags;
mod work;

pub use cell::CachedCell;
pub use handle::CacheHandle;
pub use handle_rules::HandleRules;
pub use lookup::{Lent, Lookup, Own, Part, Parts};
pub(crate) use shared::set_cache_store;
pub use work::{Fill, IntoFill};
