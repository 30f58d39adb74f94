//! The test kit (feature `test-util`).

pub mod conformance;

#[doc(inline)]
pub use crate::store_conformance;
