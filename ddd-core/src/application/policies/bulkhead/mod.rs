//! `#[bulkhead]`: so many calls at once.

mod cell;
mod room;

pub use cell::{BulkheadCell, BulkheadPermit};
