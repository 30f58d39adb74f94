//! Who is measured, and what one sample holds.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use ddd_benches::{Arguments, PostgresServer, interleave, note, processor_time};

use super::{
    database::Database,
    ours::Ours,
    peers::Peers,
    protocol::{Watch, Work, run},
    raw::{Raw, RawCommit},
    raw_rows::RawRows,
};

/// One of those who are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Ours,
    /// Bare statements, one connection that claims and ends.
    Raw,
    RawTwo,
    RawInserts,
    /// The store's own row, in its own table.
    RawRows,
    RawCommit,
    /// A queue of others, in the process of the peers.
    Peer(&'static str),
}

/// In the order in which they are named.
const PEERS: [Side; 4] =
    [Side::Peer("graphile_worker"), Side::Peer("apalis_postgres"), Side::Peer("riverqueue"), Side::Peer("awa")];

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Raw => "raw",
            Self::RawTwo => "raw_two_workers",
            Self::RawInserts => "raw_inserts",
            Self::RawRows => "raw_rows",
            Self::RawCommit => "raw_commit",
            Self::Peer(name) => name,
        }
    }

    /// These, and the peers.
    pub(crate) fn and_peers(these: &[Self]) -> Vec<Self> {
        these.iter().chain(&PEERS).copied().collect()
    }
}

/// What one run of a side has taken.
pub(crate) struct Sample {
    /// What the work measures.
    pub(crate) seconds: Vec<f64>,
    /// Processor time of the side's process and of the server, if it can be told.
    pub(crate) processor: Option<Duration>,
}

/// What measures: the server, and the process of the peers once one of them is wanted.
pub(crate) struct Bench {
    server: &'static PostgresServer,
    peers: RefCell<Peers>,
    /// What each side has prepared: its tables, and nothing else. To make them takes some of them a second.
    prepared: RefCell<HashMap<Side, Database<'static>>>,
}

/// So often one sample is tried: a peer may hang now and then.
const HANGS: usize = 5;

/// It makes the tables, and that is all.
const NOTHING: Work = Work::Submissions { submitters: 0, each: 0 };

impl Bench {
    pub(crate) fn new(server: &'static PostgresServer) -> Self {
        Self { server, peers: RefCell::default(), prepared: RefCell::default() }
    }

    /// Has ours and these others do the work by turns; their samples. A peer that cannot be had is left out, with a word.
    pub(crate) fn measure(&self, arguments: &Arguments, others: &[Side], work: Work) -> Vec<(Side, Vec<Sample>)> {
        let mut sides = vec![Side::Ours];
        sides.extend(others);
        if let Some(solo) = &arguments.solo {
            sides.retain(|it| it.name() == solo);
        }
        let has_peers = sides.iter().any(|it| matches!(it, Side::Peer(_)));
        if has_peers && let Err(reason) = self.peers.borrow_mut().ready() {
            note(&format!("without the peers: {reason}"));
            sides.retain(|it| !matches!(it, Side::Peer(_)));
        }
        let mut sources: Vec<Box<dyn FnMut() -> Sample>> = Vec::new();
        for side in sides.iter().copied() {
            sources.push(Box::new(move || self.sample(side, work)));
        }
        let samples = interleave(arguments.rounds, &mut sources);
        drop(sources);
        sides.into_iter().zip(samples).collect()
    }

    /// One sample. A peer that hangs is asked again, some times.
    fn sample(&self, side: Side, work: Work) -> Sample {
        for _ in 0..HANGS {
            let database = self.prepared.borrow_mut().entry(side).or_insert_with(|| self.prepare(side)).copy();
            match self.run(side, work, &database.url()) {
                Ok(sample) => return sample,
                Err(reason) => note(&format!("{} is measured again: {reason}", side.name())),
            }
        }
        panic!("{} does not do the work", side.name());
    }

    fn prepare(&self, side: Side) -> Database<'static> {
        let database = Database::new(self.server);
        self.run(side, NOTHING, &database.url()).expect("the tables are made");
        database
    }

    fn run(&self, side: Side, work: Work, url: &str) -> Result<Sample, String> {
        let mut watch = Meter { server: self.server, process: std::process::id(), begun: None, sample: None };
        match side {
            Side::Ours => run::<Ours>(work, url, &mut watch),
            Side::Raw => run::<Raw<1>>(work, url, &mut watch),
            Side::RawTwo => run::<Raw<2>>(work, url, &mut watch),
            Side::RawInserts => run::<Raw<0>>(work, url, &mut watch),
            Side::RawRows => run::<RawRows>(work, url, &mut watch),
            Side::RawCommit => run::<RawCommit>(work, url, &mut watch),
            Side::Peer(name) => {
                let mut peers = self.peers.borrow_mut();
                peers.ready()?;
                watch.process = peers.process();
                peers.run(name, work, url, &mut watch)?;
            }
        }
        Ok(watch.sample.expect("the work has ended"))
    }
}

/// Counts processor time between the begin and the end of the measured time.
struct Meter {
    server: &'static PostgresServer,
    process: u32,
    begun: Option<Duration>,
    sample: Option<Sample>,
}

impl Meter {
    fn used(&self) -> Option<Duration> {
        Some(self.server.processor_time()? + processor_time(self.process)?)
    }
}

impl Watch for Meter {
    fn begin(&mut self) {
        self.begun = self.used();
    }

    fn end(&mut self, seconds: Vec<f64>) {
        let processor = self.used().zip(self.begun).map(|(now, begun)| now.saturating_sub(begun));
        self.sample = Some(Sample { seconds, processor });
    }
}
