//! What happens while it happens: bars in a terminal, lines elsewhere. All of it comes from the stream of transitions.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

use ddd_core::{Lagged, TaskId, TaskStatus, Transition};

use crate::{
    options::File,
    style::{Style, fitted},
};

/// The view of all files.
#[derive(Debug)]
pub struct Live {
    style: Style,
    rows: Vec<Row>,
    of_task: HashMap<TaskId, (usize, Work)>,
    ended: usize,
    drawn: usize,
    /// How often a task went from one status to another.
    pub seen: BTreeMap<(Option<TaskStatus>, TaskStatus), u64>,
    /// How many progress reports came.
    pub reports: u64,
    /// How many transitions came too fast to be seen.
    pub missed: u64,
}

/// Which of a file's two tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Count,
    Words,
}

/// What is shown of a file.
#[derive(Debug)]
struct Row {
    name: String,
    count: TaskStatus,
    words: TaskStatus,
    fraction: f64,
    note: String,
}

impl Live {
    /// A view of these files with their tasks.
    pub fn new(style: Style, files: &[File], tasks: impl IntoIterator<Item = (TaskId, usize, Work)>) -> Self {
        let row = |file: &File| Row {
            name: file.shown.clone(),
            count: TaskStatus::Pending,
            words: TaskStatus::Pending,
            fraction: 0.0,
            note: String::new(),
        };
        Self {
            style,
            rows: files.iter().map(row).collect(),
            of_task: tasks.into_iter().map(|(id, file, work)| (id, (file, work))).collect(),
            ended: 0,
            drawn: 0,
            seen: BTreeMap::new(),
            reports: 0,
            missed: 0,
        }
    }

    /// Takes a transition in, and writes it where there are no bars.
    ///
    /// # Errors
    /// The output is closed.
    pub fn note(&mut self, seen: Result<Transition, Lagged>, out: &mut impl Write) -> io::Result<()> {
        let transition = match seen {
            Ok(it) => it,
            Err(lagged) => {
                self.missed += lagged.missed;
                return Ok(());
            }
        };
        let Some((file, work)) = self.of_task.get(&transition.id).copied() else { return Ok(()) };
        let row = &mut self.rows[file];
        if let Some(progress) = &transition.progress {
            self.reports += 1;
            row.fraction = progress.fraction;
            row.note.clone_from(&progress.message);
            return Ok(());
        }
        *self.seen.entry((transition.from, transition.to)).or_default() += 1;
        match work {
            Work::Count => row.count = transition.to,
            Work::Words => row.words = transition.to,
        }
        if transition.is_terminal() {
            self.ended += 1;
        }
        if transition.is_terminal() || transition.to == TaskStatus::Retrying {
            self.line(&transition, file, out)?;
        }
        Ok(())
    }

    fn line(&self, transition: &Transition, file: usize, out: &mut impl Write) -> io::Result<()> {
        if self.style.live {
            return Ok(());
        }
        let Transition { name, to, attempt, .. } = transition;
        writeln!(out, "  {:<9} {name:<16} {} (attempt {attempt})", to, self.rows[file].name)
    }

    /// Draws the bars, in the place of those drawn before.
    ///
    /// # Errors
    /// The output is closed.
    pub fn draw(&mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.style.live {
            return Ok(());
        }
        let mut frame = String::new();
        if self.drawn > 0 {
            frame.push_str(&format!("\x1b[{}A\x1b[J", self.drawn));
        }
        let rows = self.visible();
        for row in &rows {
            frame.push_str(&row.text(self.style));
            frame.push('\n');
        }
        let ended = format!("  {} of {} tasks ended", self.ended, self.of_task.len());
        frame.push_str(&self.style.dim(ended));
        frame.push('\n');
        self.drawn = rows.len() + 1;
        // Lines that are too long are cut, not wrapped: the next frame counts them.
        write!(out, "\x1b[?7l{frame}\x1b[?7h")?;
        out.flush()
    }

    /// All rows, or of too many those that something happens to.
    fn visible(&self) -> Vec<&Row> {
        const MOST: usize = 16;
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        if rows.len() > MOST {
            rows.sort_by_key(|it| (!it.is_running(), it.is_over()));
            rows.truncate(MOST);
        }
        rows
    }
}

impl Row {
    fn is_running(&self) -> bool {
        [self.count, self.words].contains(&TaskStatus::Running)
    }

    fn is_over(&self) -> bool {
        self.count.is_terminal() && self.words.is_terminal()
    }

    fn has_failed(&self) -> bool {
        [self.count, self.words].iter().any(|it| it.is_terminal() && *it != TaskStatus::Success)
    }

    fn text(&self, style: Style) -> String {
        const WIDTH: usize = 24;
        let fraction = if self.words == TaskStatus::Success { 1.0 } else { self.fraction };
        let filled = (fraction * WIDTH as f64).round() as usize;
        let (done, left) = ("█".repeat(filled), "░".repeat(WIDTH - filled));
        let (mark, note) = if self.has_failed() {
            (style.red("✗"), style.red("failed"))
        } else if self.is_over() {
            (style.green("✓"), style.green("done"))
        } else if self.count == TaskStatus::Retrying {
            (style.yellow("↻"), style.yellow("count failed, tries again"))
        } else if self.words == TaskStatus::Running {
            (style.cyan("▸"), if self.note.is_empty() { "reads the file".to_owned() } else { self.note.clone() })
        } else if self.count == TaskStatus::Success {
            (style.dim("·"), style.dim("counted, words wait"))
        } else {
            (style.dim("·"), style.dim("waits"))
        };
        let name = fitted(&self.name, 26);
        let percent = format!("{:>3.0} %", fraction * 100.0);
        format!("  {mark} {name:<26} {}{} {percent}  {note}", style.cyan(done), style.dim(left))
    }
}
