//! What a request gets instead of its answer.

pub(crate) mod codes;
mod cut;
mod document;
mod fault;
mod from_core;
pub(crate) mod pointer;

pub use codes::ProblemCode;
pub use document::Problem;
pub use fault::{Fault, Place};
