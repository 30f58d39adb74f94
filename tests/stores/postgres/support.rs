use ddd_benches::PostgresServer;
use ddd_core::{PostgresOptions, PostgresStore};
use sqlx::PgPool;

pub(crate) fn server() -> &'static PostgresServer {
    PostgresServer::shared().unwrap_or_else(|it| panic!("{it}"))
}

/// Of a schema of its own.
pub(crate) fn options() -> PostgresOptions {
    PostgresStore::options().namespace(server().fresh_namespace())
}

/// A store in a schema of its own, and the schema's name.
pub(crate) async fn fresh() -> (PostgresStore, String) {
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(2);
    (options.connect(server().url()).await.unwrap(), namespace)
}

/// A user's own pool.
pub(crate) async fn pool() -> PgPool {
    sqlx::postgres::PgPoolOptions::new().max_connections(4).connect(server().url()).await.unwrap()
}
