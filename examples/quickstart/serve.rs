//! What follows the report, if it was asked for: the same tasks over HTTP.

use std::{
    error::Error,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::Router;
use ddd_core::App;
use ddd_web::{Access, Api, Server};

use crate::{
    options::File,
    style::{Style, quoted},
};

const PREFIX: &str = "/api/v1";

/// Serves the tasks of the application until the process is told to end, and says what to try.
///
/// # Errors
/// The port cannot be listened on, or the output is closed.
pub async fn serve(
    out: &mut impl Write,
    style: Style,
    app: &App,
    port: u16,
    files: &[File],
) -> Result<(), Box<dyn Error>> {
    let api = Api::new(app, Access::open());
    let server = Server::new(app, Router::new().nest(PREFIX, api.routes())).shutdown_timeout(Duration::from_secs(5));
    let listening = server.bind((Ipv4Addr::LOCALHOST, port)).await?;
    say_what_to_try(out, style, listening.address(), files)?;
    listening.run().await;
    Ok(())
}

fn say_what_to_try(out: &mut impl Write, style: Style, address: SocketAddr, files: &[File]) -> io::Result<()> {
    let base = format!("http://{address}{PREFIX}");
    let path = files.first().map_or("README.md", |it| &it.path);
    let params = serde_json::json!({ "path": path, "wanted": 3 });
    let submit = quoted(&params.to_string());
    writeln!(out, "\n{}", style.bold("The same tasks over HTTP, until ctrl-c"))?;
    for (what, line) in [
        ("what there is to submit", format!("curl {base}/tasks/registry")),
        ("the newest tasks, with all that is known of them", format!("curl '{base}/tasks?limit=2'")),
        ("figures", format!("curl {base}/tasks/statistics")),
        (
            "another analysis; its answer says where to look for the result",
            format!("curl {base}/tasks/submit/word_frequencies -H 'content-type: application/json' -d {submit}"),
        ),
        ("what happens, as it happens", format!("curl -N {base}/tasks/stream")),
        ("health", format!("curl {base}/health")),
    ] {
        writeln!(out, "  {}\n    {line}", style.dim(what))?;
    }
    writeln!(out, "listening on http://{address}")?;
    out.flush()
}
