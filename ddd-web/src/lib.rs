//! The HTTP layer of `ddd-core`: submit, watch, list, cancel and measure tasks over HTTP, with health checks and one form of
//! errors, nested into any axum router by one line.
//!
//! ```standalone_crate
//! use axum::{Router, routing::get};
//! use ddd_core::{App, task};
//! use ddd_web::{Access, Api};
//!
//! /// Counts the words of a text.
//! #[task]
//! async fn count_words(text: String) -> Result<usize, String> {
//!     Ok(text.split_whitespace().count())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let app = App::start().await?;
//!     let api = Api::new(&app, Access::open());
//!     let router = Router::new().route("/", get(async || "my own")).nest("/api/v1", api.routes());
//!     let router: Router = router.layer(api.layer()); // ids, log lines and metrics for all of them
//!     // Then `ddd_web::serve(&app, router, "127.0.0.1:8000").await?`, and
//!     // curl 127.0.0.1:8000/api/v1/tasks/submit -H 'content-type: application/json' \
//!     //   -d '{"task_name": "count_words", "params": {"text": "to be or not"}}'
//!     # drop(router);
//!     Ok(())
//! }
//! ```
//!
//! # What is where
//!
//! | to | see |
//! |---|---|
//! | mount the routes, and set what they take | [`Api`] |
//! | have ids, log lines and metrics of your own routes' requests, too | [`Api::layer`] |
//! | see every route | [`Api::route_table`], [`Route`] |
//! | say who may do what | [`Access`], [`ApiKey`], [`Permission`] |
//! | serve it, within bounds and with an end in order | [`serve()`], [`Server`], [`Drain`] |
//! | take the settings of both from a configuration (feature `config`) | `WebSettings` |
//! | know what errors look like, and answer with the same yourself | [`Problem`], [`Problem::codes`], [`Fault`] |
//!
//! Each body is checked against the schema of its task, and all that is wrong with it is told at once. The id of a request
//! (`X-Request-Id`), its trace (`traceparent`) and its caller are kept with the tasks that it submits, and with those that
//! these submit.
//!
//! The guide on [HTTP](https://github.com/ddd-rs/ddd/blob/main/docs/http.md) has every route, field and code.

mod access;
mod api;
#[cfg(feature = "config")]
mod configuration;
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
#[cfg(feature = "config")]
pub use configuration::{ApiSettings, HealthSettings, ServerSettings, SubmitLimit, WebSettings};
pub use drain::Drain;
pub use problem::{Fault, Place, Problem, ProblemCode};
pub use request::{RequestLayer, Requests};
pub use route::Route;
pub use serve::{Listening, ServeError, Server, serve};
