//! What is measured: the works, who does them, and the figures that they yield.

use ddd_benches::{Arguments, Better, median, percentile};

use super::{
    figures::Figure,
    protocol::Work,
    side::{Bench, Sample, Side},
};

/// One work, beside whom, and what it yields.
pub(crate) struct Suite {
    work: Work,
    others: Vec<Side>,
    figures: Vec<Figure>,
}

/// All of them.
pub(crate) fn suites() -> Vec<Suite> {
    vec![overlapped(), fill_then_drain(), submissions(1, 3_000), submissions(16, 300), starts()]
}

/// Tasks of a work from end to end, and how many are submitted at once.
const TASKS: usize = 10_000;
const BATCH: usize = 100;

fn overlapped() -> Suite {
    Suite {
        work: Work::Overlapped { tasks: TASKS, batch: BATCH },
        others: Side::and_peers(&[Side::Raw, Side::RawTwo]),
        figures: vec![
            rate("end_to_end/overlapped", TASKS, |it| it.seconds[0]),
            processor("end_to_end/overlapped/processor", TASKS),
        ],
    }
}

fn fill_then_drain() -> Suite {
    Suite {
        work: Work::FillThenDrain { tasks: TASKS, batch: BATCH },
        others: Side::and_peers(&[Side::Raw, Side::RawTwo]),
        figures: vec![
            rate("end_to_end/fill_then_drain", TASKS, |it| it.seconds.iter().sum()),
            rate("end_to_end/fill_then_drain/fill", TASKS, |it| it.seconds[0]),
            rate("end_to_end/fill_then_drain/drain", TASKS, |it| it.seconds[1]),
            processor("end_to_end/fill_then_drain/processor", TASKS),
        ],
    }
}

fn submissions(submitters: usize, each: usize) -> Suite {
    let case = format!("single_submissions/{submitters}");
    Suite {
        work: Work::Submissions { submitters, each },
        others: Side::and_peers(&[Side::RawInserts, Side::RawRows]),
        figures: vec![rate(&case, submitters * each, |it| it.seconds[0])],
    }
}

fn starts() -> Suite {
    let rank = |case: &str, rank| Figure {
        case: format!("postgres/{case}"),
        unit: "ms",
        better: Better::Less,
        of: Box::new(move |samples: &[Sample]| {
            let each = samples.iter().map(|it| percentile(it.seconds.iter().map(|it| it * 1e3), rank));
            Some(median(each))
        }),
    };
    Suite {
        work: Work::Starts { count: 100 },
        others: Side::and_peers(&[Side::RawCommit]),
        figures: vec![rank("submit_to_start_p50", 50), rank("submit_to_start_p99", 99)],
    }
}

/// Tasks for each second that a sample took.
fn rate(case: &str, tasks: usize, seconds: fn(&Sample) -> f64) -> Figure {
    Figure {
        case: format!("postgres/{case}"),
        unit: "tasks/s",
        better: Better::More,
        of: Box::new(move |samples| Some(median(samples.iter().map(|it| tasks as f64 / seconds(it))))),
    }
}

/// Processor time of the whole machine for each task.
fn processor(case: &str, tasks: usize) -> Figure {
    Figure {
        case: format!("postgres/{case}"),
        unit: "µs",
        better: Better::Less,
        of: Box::new(move |samples| {
            let each: Option<Vec<_>> = samples.iter().map(|it| it.processor).collect();
            Some(median(each?.into_iter().map(|it| it.as_secs_f64() * 1e6 / tasks as f64)))
        }),
    }
}

impl Suite {
    /// The names of its cases.
    pub(crate) fn cases(&self) -> impl Iterator<Item = String> {
        self.figures.iter().flat_map(|figure| self.others.iter().map(|side| figure.beside(*side)))
    }

    /// Measures the selected cases.
    pub(crate) fn run(&self, arguments: &Arguments, bench: &Bench) {
        let mut others = self.others.clone();
        others.retain(|side| self.figures.iter().any(|it| arguments.selects(&it.beside(*side))));
        if others.is_empty() {
            return;
        }
        let sides = bench.measure(arguments, &others, self.work);
        for figure in &self.figures {
            figure.print(arguments, &sides);
        }
    }
}
