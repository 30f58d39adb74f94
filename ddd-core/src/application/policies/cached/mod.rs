//! `#[cached]`: what happens when a function with a cache is called.

mod cell;
mod common;
mod entry;
mod figures;
mod fill;
mod flight;
mod front;
mod front_table;
mod handle;
mod hash;
mod kept;
mod life;
mod lookup;
mod policy;
mod run;
mod seat;
mod state;
mod table;
mod tags;
mod work;

pub use cell::CachedCell;
pub use handle::{CacheHandle, HandleRules};
pub use lookup::{Lent, Lookup, Own, Part, Parts};
pub use work::{Fill, IntoFill};
