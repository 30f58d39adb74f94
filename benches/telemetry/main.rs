//! What telemetry costs the engine. Run it with `cargo bench -p ddd-benches -- telemetry`; `docs/benchmarks.md` explains it.
//!
//! A subscriber is there for the life of a process, so each sample is a process of its own: this program again, told by
//! its environment which side it is.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]
#![allow(clippy::print_stdout, reason = "a sample says its figure there")]

mod side;

use std::process::Command;

use ddd_benches::{Arguments, Better, Case, interleave, median, note};
use side::{Side, VARIABLE};

/// The sides that are compared with an engine without telemetry, and what each is.
const CASES: [(&str, Side); 3] =
    [("telemetry/off", Side::Off), ("telemetry/info", Side::Info), ("telemetry/a_line_each", Side::Line)];

fn main() {
    if let Some(side) = Side::of_this_process() {
        let (rate, cpu) = side.sample();
        println!("{rate} {cpu}");
        return;
    }
    let arguments = Arguments::from_env();
    let cases: Vec<_> = CASES.into_iter().filter(|it| arguments.selects(it.0)).collect();
    if arguments.list {
        cases.iter().for_each(|it| note(it.0));
        return;
    }
    if cases.is_empty() {
        return;
    }
    let sides: Vec<_> = std::iter::once(Side::None).chain(cases.iter().map(|it| it.1)).collect();
    let mut sources: Vec<Box<dyn FnMut() -> (f64, f64)>> = Vec::new();
    for side in &sides {
        sources.push(Box::new(move || sample_of(*side)));
    }
    let samples = interleave(arguments.rounds, &mut sources);
    let figures: Vec<_> = samples.iter().map(|it| median(it.iter().map(|it| it.0))).collect();
    for (side, samples) in sides.iter().zip(&samples) {
        let (least, most) =
            samples.iter().fold((f64::MAX, 0.0_f64), |(least, most), it| (least.min(it.0), most.max(it.0)));
        let (rate, cpu) = (median(samples.iter().map(|it| it.0)), median(samples.iter().map(|it| it.1)));
        note(&format!("{:8} {rate:.0}/s ({least:.0}-{most:.0}), processor {cpu:.0} ns/task", side.name()));
    }
    for ((case, _), figure) in cases.iter().zip(&figures[1..]) {
        Case::new(case, *figure, ("without_telemetry", figures[0]), "tasks/s", Better::More).print();
    }
}

/// One sample, from a process of its own.
fn sample_of(side: Side) -> (f64, f64) {
    let program = std::env::current_exe().expect("this program is somewhere");
    let output = Command::new(program).env(VARIABLE, side.name()).output().expect("it can be started");
    assert!(output.status.success(), "a sample failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut figures = text.split_whitespace().map(|it| it.parse().expect("a figure"));
    (figures.next().expect("a rate"), figures.next().expect("a time"))
}
