//! What was found, and what the engine knows about how.

use std::io::{self, Write};

use ddd_core::{App, Filter, ResultError, Statistics, TaskRecord, TaskStatus};

use crate::{
    analysis::{Counts, Frequencies, LONG},
    live::Live,
    options::File,
    style::{Style, counted, fitted, grouped, short},
};

/// What became of a file.
#[derive(Debug)]
pub struct Analysis {
    pub counts: Result<Counts, ResultError>,
    pub words: Result<Frequencies, ResultError>,
}

impl Analysis {
    /// Why it could not be analysed.
    pub fn problem(&self) -> Option<String> {
        let first = self.counts.as_ref().err().or_else(|| self.words.as_ref().err())?;
        Some(match first {
            ResultError::Failed(error) => error.message.clone(),
            other => other.to_string(),
        })
    }
}

/// Writes the report of one file.
///
/// # Errors
/// The output is closed.
pub fn file(out: &mut impl Write, style: Style, file: &File, analysis: &Analysis) -> io::Result<()> {
    let (Ok(counts), Ok(words)) = (&analysis.counts, &analysis.words) else {
        let problem = analysis.problem().unwrap_or_default();
        return writeln!(
            out,
            "\n{}\n  {}",
            style.bold(&file.shown),
            style.red(format_args!("not analysed: {problem}"))
        );
    };
    // As fast as most people read silently: 240 words a minute.
    let minutes = match counts.words / 240 {
        0 => "under a minute to read".to_owned(),
        minutes => format!("about {minutes} min to read"),
    };
    writeln!(out, "\n{}  {}", style.bold(&file.shown), style.dim(minutes))?;
    writeln!(
        out,
        "  {}, {} different, on {}; {}, at most {} in a line",
        counted(counts.words, "word"),
        grouped(words.distinct),
        counted(counts.lines, "line"),
        counted(counts.characters, "character"),
        grouped(counts.longest_line),
    )?;
    if words.top.is_empty() {
        return writeln!(out, "  no word of {LONG} letters or more");
    }
    let top: Vec<_> = words.top.iter().map(|(word, times)| format!("{word} {}", style.dim(times))).collect();
    writeln!(out, "  most frequent: {}", top.join(", "))
}

/// Writes what the engine knows.
///
/// # Errors
/// The output is closed, or the store does not answer.
pub async fn engine(
    out: &mut impl Write,
    style: Style,
    app: &App,
    live: &Live,
    files: &[File],
) -> Result<(), Box<dyn std::error::Error>> {
    let statistics = app.tasks().statistics().await?;
    writeln!(out, "\n{}", style.bold("What the engine knows"))?;
    registry(out, app)?;
    figures(out, &statistics)?;
    let records = all_records(app).await?;
    slowest(out, &records, files)?;
    attempts(out, style, &records, files)?;
    transitions(out, live)?;
    Ok(())
}

fn registry(out: &mut impl Write, app: &App) -> io::Result<()> {
    writeln!(out, "\n  Its tasks, known before the first call:")?;
    for it in app.registry().iter() {
        let (settings, place) = (&it.settings, it.definition.place());
        let attempts = settings.retry.max_attempts;
        writeln!(out, "    {:<18} priority {:>2}, {attempts} attempts, {place}", it.name, settings.priority)?;
    }
    Ok(())
}

fn figures(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let ended = &statistics.finished;
    writeln!(out, "\n  Totals:")?;
    writeln!(
        out,
        "    {} submitted, {} attempts, {} retried; {} success, {} failed, {} cancelled, {} timeout",
        statistics.submitted,
        statistics.started,
        statistics.retried,
        ended.get(TaskStatus::Success),
        ended.get(TaskStatus::Failed),
        ended.get(TaskStatus::Cancelled),
        ended.get(TaskStatus::Timeout),
    )?;
    if let Some(rate) = statistics.success_rate {
        writeln!(out, "    {:.1} % of all runs succeeded", rate * 100.0)?;
    }
    let header = ["", "runs", "mean", "median", "p95", "longest"];
    writeln!(out, "\n  How long they ran:")?;
    row(out, header.map(str::to_owned))?;
    let all = std::iter::once(("all", statistics.run_time));
    for (name, times) in all.chain(statistics.tasks.iter().map(|(name, it)| (name.as_str(), it.run_time))) {
        let [mean, median, p95, max] = [times.mean, times.median, times.p95, times.max].map(short);
        row(out, [name.to_owned(), times.count.to_string(), mean, median, p95, max])?;
    }
    let wait = statistics.wait_time;
    writeln!(out, "    {} was the median wait for a slot, {} the p95", short(wait.median), short(wait.p95))
}

fn row(out: &mut impl Write, cells: [String; 6]) -> io::Result<()> {
    let [name, runs, mean, median, p95, max] = cells;
    writeln!(out, "    {name:<18} {runs:>5} {mean:>10} {median:>10} {p95:>10} {max:>10}")
}

/// All finished tasks, page by page; what a list shows in short is fetched whole.
async fn all_records(app: &App) -> Result<Vec<TaskRecord>, Box<dyn std::error::Error>> {
    let mut records = Vec::new();
    let mut cursor = None;
    loop {
        let page = app.tasks().history(Filter::all(), cursor, 200).await?;
        records.extend(app.tasks().get_many(page.items.iter().map(|it| it.id)).await?.into_iter().flatten());
        cursor = page.next;
        if cursor.is_none() {
            return Ok(records);
        }
    }
}

fn slowest(out: &mut impl Write, records: &[TaskRecord], files: &[File]) -> io::Result<()> {
    let mut timed: Vec<_> = records.iter().filter_map(|it| Some((it.duration()?, it))).collect();
    timed.sort_by_key(|it| std::cmp::Reverse(it.0));
    writeln!(out, "\n  The slowest:")?;
    for (duration, record) in timed.iter().take(3) {
        writeln!(out, "    {:>8}  {} of {}", short(*duration), record.name, file_of(record, files))?;
    }
    Ok(())
}

fn attempts(out: &mut impl Write, style: Style, records: &[TaskRecord], files: &[File]) -> io::Result<()> {
    writeln!(out, "\n  Attempts that failed:")?;
    // The history is newest first.
    let failed: Vec<_> = records.iter().rev().flat_map(|it| it.errors.iter().map(move |error| (it, error))).collect();
    if failed.is_empty() {
        writeln!(out, "    none")?;
    }
    for (record, error) in failed {
        let end = match record.status {
            TaskStatus::Success => style.green(format_args!("success at attempt {}", record.attempt)),
            _ if error.attempt < record.attempt => style.red(format_args!("tried again")),
            status => style.red(format_args!("{status}, not tried again")),
        };
        let file = fitted(&file_of(record, files), 40);
        writeln!(out, "    {} of {file}, attempt {}: {}; {end}", record.name, error.attempt, error.message)?;
    }
    Ok(())
}

fn transitions(out: &mut impl Write, live: &Live) -> io::Result<()> {
    writeln!(out, "\n  Transitions seen:")?;
    for ((from, to), times) in &live.seen {
        let from = from.map_or("(new)", TaskStatus::as_str);
        writeln!(out, "    {from:>9} -> {to:<9} {times:>6}")?;
    }
    writeln!(out, "    and {} progress reports", live.reports)?;
    if live.missed > 0 {
        writeln!(out, "    {} more came faster than they could be shown", live.missed)?;
    }
    Ok(())
}

/// The file that a task is about, as the parameters in its record say.
fn file_of(record: &TaskRecord, files: &[File]) -> String {
    let params: serde_json::Value = serde_json::from_str(record.params.get()).unwrap_or_default();
    let path = params["path"].as_str().unwrap_or_default();
    files.iter().find(|it| it.path == path).map_or_else(|| path.to_owned(), |it| it.shown.clone())
}
