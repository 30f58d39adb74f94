//! One process of the simulation: an application over a faulty view of the store.

use std::{sync::Arc, time::Duration};

use ddd_core::{
    App, Settings, TaskStore,
    ports::QueueSettings,
    testing::{self, Fault, FaultyStore, HintFault, VirtualClock},
};
use ddd_tests::kit::{
    bugs::{Bug, with_bug},
    layer::Layered,
};

use crate::{
    bodies::{NARROW, NARROW_DEPTH, Place, definitions},
    chance::{Chance, CutOff},
    ledger::Ledger,
    witness::Ear,
};

/// What all nodes have in common.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) seed: u64,
    pub(crate) bug: Option<Bug>,
    pub(crate) chance: Chance,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) ledger: Arc<Ledger>,
}

pub(crate) struct Node {
    pub(crate) app: App,
    store: FaultyStore,
    cut_off: CutOff,
    number: usize,
}

/// The lease of the simulation: half an attempt's time.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How long a body that listens may clean up when its task is cancelled.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// How long an answer of the store is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

fn settings(slots: usize) -> Settings {
    let mut settings = Settings::default();
    settings.slots = slots;
    settings.lease = LEASE;
    settings.cancel_grace = GRACE;
    settings.store_timeout = PATIENCE;
    // A look costs real time.
    settings.poll_interval = Duration::from_secs(3);
    settings
}

impl Cluster {
    /// Starts a node, trying until the store lets it.
    pub(crate) async fn start(&self, mut random: fastrand::Rng, is_calm: bool) -> Node {
        let slots = self.chance.slots;
        let (number, cut_off) = (self.ledger.node(slots), CutOff::default());
        let store = FaultyStore::new(self.store.clone());
        let (chance, cut, mut chances) = (self.chance.clone(), cut_off.clone(), random.fork());
        let (hint_chance, hint_cut, mut hint_chances) = (self.chance.clone(), cut_off.clone(), random.fork());
        store.plan(move |call| cut.rest().map_or_else(|| chance.fault(&mut chances, call), Fault::Late));
        store.plan_hints(move |hint| match hint_cut.rest() {
            Some(_) => HintFault::Lost,
            None => hint_chance.hint_fault(&mut hint_chances, hint),
        });
        if is_calm {
            store.calm();
        }
        let ear = Ear { store: Arc::new(store.clone()), ledger: self.ledger.clone() };
        let seen: Arc<dyn TaskStore> = Arc::new(Layered(Arc::new(ear)));
        let seen = match self.bug {
            Some(bug) => with_bug(seen, bug),
            None => seen,
        };
        loop {
            let builder = testing::builder()
                .settings(settings(slots))
                .definitions(definitions())
                .queue("narrow", QueueSettings::new().concurrency(NARROW).max_depth(NARROW_DEPTH))
                .clock(self.clock.clone())
                .shared_store(seen.clone())
                .provide(Place { ledger: self.ledger.clone(), seed: self.seed, node: number });
            if let Ok(app) = builder.build().await {
                while app.start_workers().await.is_err() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                return Node { app, store, cut_off, number };
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

impl Node {
    /// Nothing it says arrives for so long, and it hears nothing.
    pub(crate) fn cut_off(&self, duration: Duration) {
        self.cut_off.until(tokio::time::Instant::now() + duration);
    }

    /// All is well from now on, but that it may hear no hints.
    pub(crate) fn calm(&self, is_deaf: bool) {
        self.store.calm();
        if is_deaf {
            self.store.plan_hints(|_| HintFault::Lost);
        }
    }

    /// More or fewer slots. Bodies that run are not stopped, so the ledger knows the most that there ever were.
    pub(crate) fn set_slots(&self, ledger: &Ledger, slots: usize) {
        let known = &mut ledger.book().nodes[self.number].1;
        *known = slots.max(*known);
        self.app.set_slots(slots);
    }
}
