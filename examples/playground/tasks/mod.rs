//! The tasks to play with. Each one shows something of its own; together they reach every status of a task's life.

mod echo;
mod guests;
mod limits;
mod timing;
mod trouble;

pub use guests::Guestbook;
pub use trouble::Failures;
