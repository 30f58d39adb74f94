//! A process of the chaos harness: it works, submits or fires ticks until somebody kills it.

#![allow(clippy::print_stderr, reason = "a worker that cannot start says why")]

#[path = "../accelerated.rs"]
mod accelerated;
mod command_line;
#[path = "../node.rs"]
mod node;
#[path = "../options.rs"]
mod options;
#[path = "../tasks.rs"]
mod tasks;
#[path = "../ticks_noted.rs"]
mod ticks_noted;

use std::{error::Error, process::ExitCode, time::Duration};

use ddd_core::{App, SubmitError, TaskId};

use crate::{
    options::Options,
    tasks::{Ledger, measured},
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = command_line::parse(std::env::args().skip(1)).map_err(Into::into).and_then(|options| live(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the worker ends: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn live(options: &Options) -> Outcome {
    if options.role == "tick" {
        return accelerated::block_on(options.speed, |clock| tick(options, ddd_core::testing::builder().clock(clock)));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let builder = node::builder(options, App::builder()).await?;
        if options.role == "submit" {
            return submit(&builder.submit_only().build().await?, options).await;
        }
        builder.build().await?.run().await?;
        Ok(())
    })
}

/// Fires ticks and runs their tasks, for ever.
async fn tick(options: &Options, base: ddd_core::AppBuilder) -> Outcome {
    let store = ticks_noted::noted(node::store(options).await?, Ledger::open(&options.ledger)?);
    let app = node::builder(options, base).await?.shared_store(store).build().await?;
    app.start_workers().await?;
    std::future::pending().await
}

/// Submits task after task and notes, before each call, that it is made, and after it, how it was answered. A submission alone
/// has a key, so that whoever goes on after this process can say it again; many at once have none.
async fn submit(app: &App, options: &Options) -> Outcome {
    let ledger = Ledger::open(&options.ledger)?;
    let (mut next, end) = (options.from, options.from + options.count);
    while next < end {
        let batch: Vec<_> = (next..end.min(next + options.batch)).collect();
        batch.iter().for_each(|number| ledger.note(format_args!("T {number}")));
        let answers = if options.batch == 1 {
            vec![app.submit(measured { number: next, millis: 1 }).idempotency_key(format!("number {next}")).await]
        } else {
            match app.submit_many(batch.iter().map(|number| measured { number: *number, millis: 1 })).await {
                Ok(answers) => answers,
                Err(error) => vec![Err(error)],
            }
        };
        for (number, answer) in batch.iter().zip(answers) {
            note(&ledger, *number, answer.map(|it| it.id())).await;
        }
        next += options.batch;
    }
    Ok(())
}

async fn note(ledger: &Ledger, number: u32, answer: Result<TaskId, SubmitError>) {
    match answer {
        Ok(id) => ledger.note(format_args!("A {number} {id}")),
        Err(error) => {
            let is_typed = matches!(error, SubmitError::Store(_) | SubmitError::QueueFull { .. });
            ledger.note(format_args!("F {number} {is_typed}"));
            // The store is away or full: the next one need not be refused at once.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
