use ddd_benches::PostgresServer;
use ddd_core::{PostgresOptions, PostgresStore};

pub(crate) fn server() -> &'static PostgresServer {
    PostgresServer::shared().unwrap_or_else(|it| panic!("{it}"))
}

/// Of a schema of its own.
pub(crate) fn options() -> PostgresOptions {
    PostgresStore::options().namespace(server().fresh_namespace())
}
