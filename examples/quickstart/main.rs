//! Analyses text files as parallel tasks of two priorities, with live progress, and tells what the engine knows.
//!
//! `cargo run --example quickstart`, or with files of your own: `cargo run --example quickstart -- notes.txt`. With `--serve`
//! its tasks are then served over HTTP.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]

mod analysis;
mod disk;
mod live;
mod options;
mod report;
mod serve;
mod style;

use std::{
    error::Error,
    io::{self, Write},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use ddd_core::{App, Configuration, ConfigurationError};

use crate::{
    analysis::{Pace, count, word_frequencies},
    disk::Disk,
    live::{Live, Work},
    options::{Command, Options},
    report::Analysis,
    style::{Style, counted},
};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match options::read(std::env::args_os().skip(1)) {
        Ok(Command::Help) => io::stdout().write_all(options::HELP.as_bytes()).map(|()| 0).map_err(Into::into),
        Ok(Command::Explain(options)) => explain(&options).map(|()| 0),
        Ok(Command::Analyse(options)) => analyse(options).await,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "{problem}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            let _ = writeln!(io::stderr(), "{} could not be analysed", counted(failed, "file"));
            ExitCode::FAILURE
        }
        // The reader of a pipe, such as `head`, has seen enough.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Files and the environment, and over them what the command line says.
fn configuration(options: &Options) -> Result<Configuration, ConfigurationError> {
    Configuration::builder().set("tasks.max_workers", options.slots).load()
}

fn explain(options: &Options) -> Result<(), Box<dyn Error>> {
    Ok(ddd_examples::explain(&configuration(options)?)?)
}

/// Analyses the files, and answers how many could not be.
async fn analyse(options: Options) -> Result<usize, Box<dyn Error>> {
    let configuration = configuration(&options)?;
    let style = Style::of_stdout();
    let files = options.files;
    let pace = options.pace.unwrap_or_else(|| Duration::from_millis(if style.live { 15 } else { 0 }));
    let flaky = files.iter().map(|it| &it.path).find(|it| std::path::Path::new(it).is_file()).cloned();

    // What the tasks need is provided once, by type, and checked here.
    let app = App::builder().configuration(&configuration).provide(Disk { flaky }).provide(Pace(pace)).build().await?;

    // Nothing runs yet: with all tasks in the queue, the order of their priorities can be seen.
    let mut transitions = app.tasks().transitions();
    let mut counts = Vec::new();
    let mut words = Vec::new();
    for file in &files {
        words.push(app.submit(word_frequencies { path: file.path.clone(), wanted: 6 }).await?);
        counts.push(app.submit(count { path: file.path.clone() }).await?);
    }
    let of_counts = counts.iter().enumerate().map(|(file, it)| (it.id(), file, Work::Count));
    let of_words = words.iter().enumerate().map(|(file, it)| (it.id(), file, Work::Words));
    let mut live = Live::new(style, &files, of_counts.chain(of_words));

    let mut out = io::stdout();
    let count_of_files = counted(files.len(), "file");
    let title = format!("{} for {count_of_files}, {} at a time", counted(2 * files.len(), "task"), options.slots);
    writeln!(out, "{}", style.bold(title))?;
    for name in &options.repeated {
        writeln!(out, "{}", style.dim(format_args!("{name} was named more than once; it is analysed once")))?;
    }
    writeln!(out)?;
    app.start_workers().await?;

    let mut results = pin!(async {
        let mut all = Vec::new();
        for (counts, words) in counts.iter().zip(&words) {
            all.push(Analysis { counts: counts.result().await, words: words.result().await });
        }
        all
    });
    let mut frames = tokio::time::interval(Duration::from_millis(40));
    let analyses = loop {
        tokio::select! {
            seen = transitions.next() => live.note(seen, &mut out)?,
            _ = frames.tick() => live.draw(&mut out)?,
            all = &mut results => break all,
        }
    };
    while let Some(seen) = transitions.try_next().transpose() {
        live.note(seen, &mut out)?;
    }
    live.draw(&mut out)?;

    for (file, analysis) in files.iter().zip(&analyses) {
        report::file(&mut out, style, file, analysis)?;
    }
    report::engine(&mut out, style, &app, &live, &files).await?;
    if let Some(port) = options.serve {
        serve::serve(&mut out, style, &app, port, &files).await?;
    }
    app.shutdown(Duration::from_secs(5)).await;
    Ok(analyses.iter().filter(|it| it.problem().is_some()).count())
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}
