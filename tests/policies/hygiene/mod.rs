//! The attributes go on every function that can be called: one file for each side of a function.

mod arguments;
mod async_trait;
mod forms;
mod returns;
mod support;
