//! The routes of tasks.

pub(crate) mod get;
