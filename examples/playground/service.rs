//! The service: the application, its routes, and where they are served.

use std::{
    error::Error,
    io::{self, Write},
};

use axum::{Json, Router, routing::get};
use ddd_core::{App, Configuration, ConfigurationError, QueueSettings, telemetry::Telemetry};
use ddd_web::{Api, Server, WebSettings};
use serde_json::{Value, json};

use crate::{
    options::Options,
    tasks::{Failures, Guestbook},
};

/// Serves until the process is told to end.
///
/// # Errors
/// It cannot start, or cannot listen there.
pub async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let configuration = configuration(&options)?;
    // Standard output says where it listens; all else goes to standard error, panics too.
    Telemetry::builder().configuration(&configuration).install()?;
    let web = WebSettings::of(&configuration)?;
    let app = application(&options, &configuration).await?;
    let api = Api::new(&app, options.access).settings(&web);
    // The routes lie below a path of this router, which has a route of its own beside them.
    let index = index(web.prefix());
    let router: Router = Router::new().route("/", get(async move || index)).nest(web.prefix(), api.routes());
    let router = router.layer(api.layer());
    let listening = Server::new(&app, router).settings(&web).bind(web.address()).await?;
    writeln!(io::stdout(), "listening on http://{}", listening.address())?;
    listening.run().await;
    Ok(())
}

/// Prints the settings.
///
/// # Errors
/// Something is wrong with them.
pub fn explain(options: &Options) -> Result<(), Box<dyn Error>> {
    Ok(ddd_examples::explain(&configuration(options)?)?)
}

/// Files and the environment, and over them what the command line says.
fn configuration(options: &Options) -> Result<Configuration, ConfigurationError> {
    let mut builder = WebSettings::declare(Configuration::builder());
    if let Some(host) = &options.host {
        builder = builder.set("server.host", host);
    }
    if let Some(port) = options.port {
        builder = builder.set("server.port", port);
    }
    if let Some(workers) = options.workers {
        builder = builder.set("tasks.max_workers", workers);
    }
    if let Some(shutdown) = options.shutdown {
        builder = builder.set("server.shutdown_timeout", shutdown.as_secs());
    }
    if let Some(level) = options.log {
        builder = builder.set("log.level", level.to_string());
    }
    builder.load()
}

async fn application(options: &Options, configuration: &Configuration) -> Result<App, Box<dyn Error>> {
    let builder = App::builder().configuration(configuration).reload_on_hangup();
    let mut builder = builder.provide(Failures::default()).provide(Guestbook::default());
    if let Some(depth) = options.max_depth {
        for queue in ["default", "imports"] {
            builder = builder.queue(queue, QueueSettings::new().max_depth(depth));
        }
    }
    Ok(builder.start().await?)
}

/// What a browser shows first.
fn index(prefix: &str) -> Json<Value> {
    Json(json!({
        "message": "This is the playground.",
        "tasks": format!("{prefix}/tasks/registry"),
        "health": format!("{prefix}/health"),
    }))
}
