//! The service: the application, its routes, and where they are served.

use std::{
    error::Error,
    io::{self, Write},
};

use axum::{Json, Router, routing::get};
use ddd_core::{App, QueueSettings, Settings, telemetry::Telemetry};
use ddd_web::{Api, Server};
use serde_json::{Value, json};

use crate::{
    options::Options,
    tasks::{Failures, Guestbook},
};

const PREFIX: &str = "/api/v1";

/// Serves until the process is told to end.
///
/// # Errors
/// It cannot start, or cannot listen there.
pub async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    // Standard output says where it listens; all else goes to standard error, panics too.
    Telemetry::builder().level(&options.log.to_string()).install()?;
    let app = application(&options).await?;
    let api = Api::new(&app, options.access);
    // The routes lie below a path of this router, which has a route of its own beside them.
    let router: Router = Router::new().route("/", get(index)).nest(PREFIX, api.routes());
    let server = Server::new(&app, router).shutdown_timeout(options.shutdown);
    let listening = server.bind((options.host.as_str(), options.port)).await?;
    writeln!(io::stdout(), "listening on http://{}", listening.address())?;
    listening.run().await;
    Ok(())
}

async fn application(options: &Options) -> Result<App, Box<dyn Error>> {
    let mut settings = Settings::default();
    settings.slots = options.workers;
    settings.shutdown_timeout = options.shutdown;
    let mut builder = App::builder().settings(settings).provide(Failures::default()).provide(Guestbook::default());
    if let Some(depth) = options.max_depth {
        for queue in ["default", "imports"] {
            builder = builder.queue(queue, QueueSettings::new().max_depth(depth));
        }
    }
    Ok(builder.start().await?)
}

/// What a browser shows first.
async fn index() -> Json<Value> {
    Json(json!({
        "message": "This is the playground.",
        "tasks": format!("{PREFIX}/tasks/registry"),
        "health": format!("{PREFIX}/health"),
    }))
}
