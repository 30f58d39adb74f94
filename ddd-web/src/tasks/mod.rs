//! The routes of tasks.

pub(crate) mod body;
pub(crate) mod get;
mod links;
mod options;
pub(crate) mod submit;
pub(crate) mod visible;
