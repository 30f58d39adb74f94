//! Two worker processes over one SQLite file, and one of them is killed on stage: nothing is lost. `cargo run --example durable --features sqlite`.
//!
//! The program starts itself twice more, as `durable worker <file> <name>`. Nothing of the output is written beforehand: all of
//! it is what happened.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]

#[macro_use]
mod say;
mod pages;
mod processes;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use ddd_core::{App, Filter, SqliteStore, TaskRecord, TaskStatus};
use pages::{Printed, print_page};
use processes::Worker;

/// How a part of the program ends.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// How many pages there are to print.
const PAGES: u32 = 40;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [role, file, name] = &arguments[..]
        && role == "worker"
    {
        return pages::work(Path::new(file), name).await;
    }
    let folder = std::env::temp_dir().join(format!("ddd-durable-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = show(&folder.join("tasks.db")).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn show(file: &Path) -> Outcome {
    section!("One file, and two processes that work on what is in it");
    let store = SqliteStore::open(file)?;
    // This process submits and looks; it runs nothing.
    let app = App::builder().store(store).submit_only().build().await?;
    for answer in app.submit_many((1..=PAGES).map(|page| print_page { page })).await? {
        // Here the task is on the disk: whatever dies from now on, it will run.
        answer?;
    }
    say!("{PAGES} pages are accepted, and wait in {}", file.file_name().unwrap_or_default().display());
    let mut anna = Worker::start(file, "anna")?;
    let _boris = Worker::start(file, "boris")?;
    say!("two workers print them: anna and boris, each a process of its own");

    section!("One of them is killed, as by `kill -9`");
    while printed(&app).await? < 10 || held_by(&app, &anna).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anna.kill()?;
    let (killed, held) = (Instant::now(), held_by(&app, &anna).await?);
    say!("anna is killed when {} pages are printed, and was printing {}", printed(&app).await?, listed(&held));
    say!("nobody knows that yet: for so long as their leases last, those pages are anna's");

    section!("The other one takes over what it held");
    while !are_taken_back(&app, &held).await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    say!("{:.1} s later their leases have ended, and boris has them", killed.elapsed().as_secs_f64());
    app.tasks().wait_idle().await?;
    report(&app).await
}

/// What has become of all pages.
async fn report(app: &App) -> Outcome {
    section!("What came of it");
    let records = records(app, Filter::all()).await?;
    let results: Vec<Printed> =
        records.iter().filter_map(|it| serde_json::from_str(it.result.as_ref()?.get()).ok()).collect();
    for name in ["anna", "boris"] {
        say!("{name:<6} printed {:>2} pages", results.iter().filter(|it| it.by == name).count());
    }
    let again: Vec<_> = records.iter().filter(|it| it.crashes > 0).map(page).collect();
    let lost = records.iter().filter(|it| it.status != TaskStatus::Success).count();
    say!("begun again after the death: {}, and no attempt is used up by that", listed(&again));
    say!("{} of {PAGES} pages are printed, {lost} are lost", results.len());
    Ok(())
}

/// How many pages are printed.
async fn printed(app: &App) -> Outcome<u64> {
    Ok(app.tasks().statistics().await?.now.get(TaskStatus::Success))
}

/// The pages that a worker's process is printing, as far as the store knows: of a dead one, those that it was.
async fn held_by(app: &App, worker: &Worker) -> Outcome<Vec<u32>> {
    let suffix = format!(":{}", worker.pid());
    let workers = app.tasks().workers().await?;
    let Some(id) = workers.iter().find(|it| it.host.ends_with(&suffix)).map(|it| it.id) else { return Ok(Vec::new()) };
    let running = records(app, Filter::all().status(TaskStatus::Running)).await?;
    Ok(running.iter().filter(|it| it.worker == Some(id)).map(page).collect())
}

/// Whether these pages were taken back from the worker that held them.
async fn are_taken_back(app: &App, pages: &[u32]) -> Outcome<bool> {
    let records = records(app, Filter::all()).await?;
    Ok(records.iter().filter(|it| pages.contains(&page(it))).all(|it| it.crashes > 0))
}

/// The records of all tasks that a filter means. A list shows tasks in short; their parameters and results are in the records.
async fn records(app: &App, filter: Filter) -> Outcome<Vec<TaskRecord>> {
    let listed = app.tasks().list(filter, None, PAGES as usize).await?.items;
    Ok(app.tasks().get_many(listed.iter().map(|it| it.id)).await?.into_iter().flatten().collect())
}

fn page(record: &TaskRecord) -> u32 {
    serde_json::from_str(record.params.get()).map_or(0, |it: print_page| it.page)
}

fn listed(pages: &[u32]) -> String {
    let mut pages = pages.to_vec();
    pages.sort_unstable();
    match &pages[..] {
        [] => "no page".to_owned(),
        [page] => format!("page {page}"),
        _ => format!("pages {}", pages.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}
