//! The submit route beside a bare axum handler. Run it with `cargo bench -p ddd-benches -- http`; `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod bare;
#[path = "../engine/floor.rs"]
#[allow(dead_code, reason = "shared with the engine's benchmarks, which run it in more ways")]
mod floor;
#[path = "../engine/ids.rs"]
#[allow(dead_code, reason = "shared with the engine's benchmarks, which take ids in more ways")]
mod ids;
mod in_process;
mod keep_alive;
mod ours;
#[path = "../engine/protocol.rs"]
#[allow(dead_code, reason = "shared with the engine's benchmarks, which measure in more ways")]
mod protocol;
mod request;
mod service;

use std::time::Duration;

use ddd_benches::{Arguments, Better, Case, interleave, median, note};

use crate::{bare::Bare, ours::Ours, service::Work};

/// How requests reach the service, and the processor time of one.
type Way = fn(Side, Work) -> Duration;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ours,
    Bare,
}

const PEER: &str = "bare_axum";

const WAYS: [(&str, Way); 2] = [
    ("keep_alive", |side, work| match side {
        Side::Ours => keep_alive::sample::<Ours>(work),
        Side::Bare => keep_alive::sample::<Bare>(work),
    }),
    ("in_process", |side, work| match side {
        Side::Ours => in_process::sample::<Ours>(work),
        Side::Bare => in_process::sample::<Bare>(work),
    }),
];

const WORK: [(&str, Work); 2] = [("submit", Work::Left), ("submit_and_run", Work::Done)];

fn main() {
    let arguments = Arguments::from_env();
    for (work_name, work) in WORK {
        for (way_name, way) in WAYS {
            let case = format!("http/{work_name}/{way_name}/{PEER}");
            if !arguments.selects(&case) {
                continue;
            }
            if arguments.list {
                note(&case);
            } else {
                run(&case, way, work, &arguments);
            }
        }
    }
}

fn run(case: &str, way: Way, work: Work, arguments: &Arguments) {
    let named = [("ours", Side::Ours), (PEER, Side::Bare)];
    let sides: Vec<_> =
        named.into_iter().filter(|it| arguments.solo.as_deref().is_none_or(|solo| it.0 == solo)).collect();
    let mut sources: Vec<Box<dyn FnMut() -> f64>> = Vec::new();
    for (_, side) in &sides {
        let side = *side;
        sources.push(Box::new(move || way(side, work).as_nanos() as f64));
    }
    let samples = interleave(arguments.rounds, &mut sources);
    for ((name, _), samples) in sides.iter().zip(&samples) {
        let (least, most) =
            samples.iter().fold((f64::MAX, 0.0_f64), |(least, most), it| (least.min(*it), most.max(*it)));
        note(&format!(
            "{name:24} {:.0} ns of processor time per request ({least:.0}-{most:.0})",
            median(samples.clone())
        ));
    }
    if let [ours, bare] = samples.as_slice() {
        let figures = [ours, bare].map(|it| median(it.iter().copied()));
        Case::new(case, figures[0], (PEER, figures[1]), "ns/request", Better::Less).print();
    }
}
