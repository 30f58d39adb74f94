//! The work: two tasks for each file.

use std::{collections::HashMap, time::Duration};

use ddd_core::{TaskContext, task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, ReadError};

/// What a count of a text yields.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub lines: usize,
    pub words: usize,
    pub characters: usize,
    /// In characters.
    pub longest_line: usize,
}

/// How often words occur in a text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Frequencies {
    /// How many different words there are.
    pub distinct: usize,
    /// The most frequent words of at least [`LONG`] letters.
    pub top: Vec<(String, usize)>,
}

/// From how many letters on a word says something about its text.
pub const LONG: usize = 4;

/// A rest after each piece of work.
#[derive(Clone, Copy, Debug)]
pub struct Pace(pub Duration);

/// Counts the lines, words and characters of a text file. Quick, and what everyone waits for: before all else.
#[task(priority = 5, timeout = "30s", retry(max_attempts = 3, delay = "250ms", jitter = false), tags("text"))]
pub async fn count(
    /// Where the file is.
    path: String,
    #[inject] disk: &Disk,
    #[inject] context: TaskContext,
) -> Result<Counts, ReadError> {
    let text = disk.read_at_attempt(&path, context.attempt()).await?;
    Ok(Counts {
        lines: text.lines().count(),
        words: text.split_whitespace().count(),
        characters: text.chars().count(),
        longest_line: text.lines().map(|it| it.chars().count()).max().unwrap_or(0),
    })
}

/// Finds the most frequent words of a text file. Slower, so it reports progress and lets others go first.
#[task(priority = -5, timeout = "5m", retry(max_attempts = 3, delay = "250ms"), tags("text"))]
pub async fn word_frequencies(
    /// Where the file is.
    path: String,
    /// How many words are wanted.
    wanted: usize,
    #[inject] disk: &Disk,
    #[inject] pace: &Pace,
    #[inject] context: TaskContext,
) -> Result<Frequencies, ReadError> {
    const PIECES: usize = 40;
    let text = disk.read(&path).await?;
    let lines: Vec<&str> = text.lines().collect();
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut done = 0;
    for piece in lines.chunks(lines.len().div_ceil(PIECES).max(1)) {
        for word in piece.iter().flat_map(|it| words(it)) {
            *found.entry(word).or_default() += 1;
        }
        done += piece.len();
        context.progress(done as f64 / lines.len() as f64, format!("line {done} of {}", lines.len()));
        // A body that awaits can be timed out, cancelled and shut down.
        tokio::time::sleep(pace.0).await;
    }
    let distinct = found.len();
    let mut top: Vec<_> = found.into_iter().filter(|it| it.0.chars().count() >= LONG).collect();
    top.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    top.truncate(wanted);
    Ok(Frequencies { distinct, top })
}

/// The words of a line, in small letters: what begins with a letter, up to what is neither letter nor digit.
fn words(line: &str) -> impl Iterator<Item = String> {
    let parts = line.split(|it: char| !it.is_alphanumeric());
    parts.filter(|it| it.starts_with(char::is_alphabetic)).map(str::to_lowercase)
}
