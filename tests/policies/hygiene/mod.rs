//! The attributes go on every function that can be called: one file for each side of a function.

mod arguments;
mod async_trait;
mod beside;
mod forms;
mod handles;
mod lints;
mod listing;
mod nesting;
mod opt_outs;
mod receivers;
mod returns;
mod support;
