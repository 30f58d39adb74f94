//! The parameters of tasks against their schemas.

pub(crate) mod faults;
mod schemas;

pub(crate) use faults::Faults;
pub(crate) use schemas::Catalogue;
