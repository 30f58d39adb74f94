//! The HTTP layer of `ddd-core`: task and health routes for an axum application.

mod access;
mod api;
mod deadline;
mod drain;
mod exposure;
mod health;
mod idempotency;
mod limits;
mod problem;
mod queues;
mod request;
mod route;
mod route_table;
mod schedules;
mod seconds;
mod serve;
mod settings;
mod state;
mod stream;
mod tasks;
mod validation;
mod workers;

pub use access::{Access, AccessError, ApiKey, Caller, Permission};
pub use api::Api;
pub use drain::Drain;
pub use problem::{Fault, Place, Problem, ProblemCode};
pub use route::Route;
pub use serve::{Listening, ServeError, Server, serve};
