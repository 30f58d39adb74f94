//! How many tasks per second: our engine beside each peer, in both protocols.

use ddd_benches::{Arguments, Better, Case, interleave, median, note};

use ddd_core::IdGenerator;

use super::{
    apalis::{Apalis, Memory, MemorySpawned, VecDeque, VecDequeNumbered, VecDequeSpawned},
    floor::Floor,
    ids::Stock,
    ours::{Ours, missed},
    protocol::{Engine, Sample, fill_then_drain, overlapped},
};

/// Enough for a run of a few tenths of a second, so that starting up and the last wake-up do not count.
const TASKS: usize = 300_000;

/// An engine by name, in both protocols.
struct Contender {
    name: &'static str,
    overlapped: fn(usize) -> Sample,
    fill_then_drain: fn(usize) -> Sample,
}

impl Contender {
    const fn new<E: Engine>(name: &'static str) -> Self {
        Self { name, overlapped: overlapped::<E>, fill_then_drain: fill_then_drain::<E> }
    }
}

const OURS: Contender = Contender::new::<Ours>("ours");

const PEERS: [Contender; 7] = [
    Contender::new::<Floor<IdGenerator>>("floor"),
    Contender::new::<Floor<Stock>>("floor_stock_ids"),
    Contender::new::<Apalis<Memory>>("apalis_memory"),
    Contender::new::<Apalis<MemorySpawned>>("apalis_memory_spawned"),
    Contender::new::<Apalis<VecDeque>>("apalis_vecdeque"),
    Contender::new::<Apalis<VecDequeSpawned>>("apalis_vecdeque_spawned"),
    Contender::new::<Apalis<VecDequeNumbered>>("apalis_vecdeque_numbered"),
];

/// What is read off a run.
type Figure = fn(&Sample) -> f64;

/// One protocol: which runs it takes, and which figures come out of a run.
struct Protocol {
    run: fn(&Contender) -> fn(usize) -> Sample,
    figures: &'static [(&'static str, Figure)],
}

const PROTOCOLS: [Protocol; 2] = [
    Protocol { run: |it| it.overlapped, figures: &[("overlapped", |it| it.rate(it.total()))] },
    Protocol {
        run: |it| it.fill_then_drain,
        figures: &[
            ("fill_then_drain", |it| it.rate(it.total())),
            ("fill_then_drain/drain", |it| it.rate(it.drain)),
            ("fill_then_drain/fill", |it| it.rate(it.submit)),
        ],
    },
];

/// The names of all cases.
pub(crate) fn cases() -> Vec<String> {
    let figures = PROTOCOLS.iter().flat_map(|it| it.figures);
    figures.flat_map(|(figure, _)| PEERS.iter().map(move |peer| case(figure, peer))).collect()
}

/// Runs the selected cases.
pub(crate) fn run(arguments: &Arguments) {
    for protocol in &PROTOCOLS {
        let selected = |peer: &&Contender| protocol.figures.iter().any(|(it, _)| arguments.selects(&case(it, peer)));
        let peers: Vec<_> = PEERS.iter().filter(selected).collect();
        if peers.is_empty() {
            continue;
        }
        let wanted = |it: &&Contender| arguments.solo.as_deref().is_none_or(|solo| it.name == solo);
        let contenders: Vec<_> = std::iter::once(&OURS).chain(peers.iter().copied()).filter(wanted).collect();
        let mut sources: Vec<Box<dyn FnMut() -> Sample>> = Vec::new();
        for contender in &contenders {
            let run = (protocol.run)(contender);
            sources.push(Box::new(move || run(TASKS)));
        }
        let samples = interleave(arguments.rounds, &mut sources);
        for (contender, samples) in contenders.iter().zip(&samples) {
            describe(contender, protocol, samples);
        }
        note(&format!("{:24} the subscriber was too slow for {} transitions so far", OURS.name, missed()));
        if arguments.solo.is_some() {
            continue;
        }
        for (figure, of) in protocol.figures {
            let figures: Vec<_> = samples.iter().map(|it| median(it.iter().map(of))).collect();
            for (peer, theirs) in peers.iter().zip(&figures[1..]) {
                let case = case(figure, peer);
                if arguments.selects(&case) {
                    Case::new(&case, figures[0], (peer.name, *theirs), "tasks/s", Better::More).print();
                }
            }
        }
    }
}

fn case(figure: &str, peer: &Contender) -> String {
    format!("engine/{figure}/{}", peer.name)
}

/// Medians and ranges, for people.
fn describe(contender: &Contender, protocol: &Protocol, samples: &[Sample]) {
    let mut text = format!("{:24}", contender.name);
    for (figure, of) in protocol.figures {
        let sorted = || samples.iter().map(of);
        let (least, most) = (sorted().fold(f64::MAX, f64::min), sorted().fold(0.0, f64::max));
        text += &format!(" {figure} {:.0}/s ({least:.0}-{most:.0})", median(sorted()));
    }
    note(&format!("{text}, processor {:.0} ns/task", median(samples.iter().map(Sample::cpu_each))));
}
