//! A service with tasks to try everything by hand, over HTTP: `cargo run --example playground`.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]

mod options;
mod service;
mod tasks;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use ddd_web::Api;

use crate::options::Command;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match options::read(std::env::args_os().skip(1)) {
        Ok(Command::Help) => io::stdout().write_all(options::HELP.as_bytes()).map_err(Into::into),
        Ok(Command::Routes) => print_routes().map_err(Into::into),
        Ok(Command::Explain(options)) => service::explain(&options),
        Ok(Command::Serve(options)) => service::run(options).await,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "{problem}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe, such as `head`, has seen enough.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn print_routes() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for route in Api::route_table() {
        writeln!(out, "{route}")?;
    }
    Ok(())
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}
