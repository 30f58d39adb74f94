//! The routes of tasks.

pub(crate) mod body;
pub(crate) mod bulk;
pub(crate) mod change;
mod filter;
pub(crate) mod get;
mod links;
pub(crate) mod list;
mod options;
mod page;
pub(crate) mod registry;
pub(crate) mod result;
pub(crate) mod statistics;
pub(crate) mod submit;
pub(crate) mod visible;

pub(crate) use links::Links;
