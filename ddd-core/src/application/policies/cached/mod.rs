//! `#[cached]`: what happens when a function with a cache is called.

mod cell;
mod handle;
mod lookup;
mod work;

pub use cell::CachedCell;
pub use handle::{CacheHandle, HandleRules};
pub use lookup::{Lookup, Parts};
pub use work::{Fill, IntoFill};
