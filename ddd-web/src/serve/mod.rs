//! Serves a router: connections, their bounds, and an end in order.

mod bind;
mod compression;
mod connection;
mod connections;
mod error;
mod exchange;
mod inbound;
mod limits;
mod outbound;
mod pulse;
mod running;
mod server;
mod signals;
mod socket;

use axum::Router;
use ddd_core::{App, ShutdownReport};
use tokio::net::ToSocketAddrs;

pub use error::ServeError;
pub use running::Listening;
pub use server::Server;

/// Serves a router until the process is told to end (SIGINT, or SIGTERM where there is one), then ends the requests and the
/// workers of the application in order: [`Server`] with its defaults, which [`Server`] also says.
///
/// It starts no workers: [`App::start`] and [`App::start_workers`] do.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use ddd_core::App;
/// use ddd_web::{Access, Api};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::start().await?;
/// let api = Api::new(&app, Access::open());
/// let router = Router::new().route("/", get(async || "a shop")).nest("/api/v1", api.routes());
/// ddd_web::serve(&app, router, "127.0.0.1:8000").await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// The address cannot be listened on, or may not be: [`ServeError`].
pub async fn serve(app: &App, router: Router, address: impl ToSocketAddrs) -> Result<ShutdownReport, ServeError> {
    Server::new(app, router).serve(address).await
}
