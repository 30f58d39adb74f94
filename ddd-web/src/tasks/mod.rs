//! The routes of tasks.

mod body;
pub(crate) mod get;
mod links;
mod options;
pub(crate) mod submit;
pub(crate) mod visible;
