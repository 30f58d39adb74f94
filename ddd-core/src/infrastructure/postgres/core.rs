use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use sqlx::PgPool;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::{
    beliefs::Unbounded,
    connections::Limit,
    gathering::Gathering,
    home::Home,
    lists::Lists,
    names::{Made, Names},
    outbox::Outbox,
    texts::Texts,
    turns::Turns,
    vacuuming::Vacuuming,
};
use crate::{
    domain::WorkerId,
    infrastructure::sql::{Departures, Told},
    ports::{Attention, StorePlace, StoreSettings},
};

/// A pool, and what all handles of one store share whatever pool they go over.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) pool: PgPool,
    /// The pool of the store itself, if this one is for heartbeats only.
    main: PgPool,
    /// The user's pool, whose way to the server is this one's, too.
    pub(super) source: Option<PgPool>,
    /// How long one call may take.
    pub(super) timeout: Duration,
    pub(super) shared: Arc<Shared>,
}

/// What all handles of one store share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) texts: Texts,
    pub(super) names: Names,
    pub(super) unbounded: Unbounded,
    pub(super) settings: RwLock<Arc<StoreSettings>>,
    /// What limits the time of statements that commit by themselves.
    pub(super) limit: Limit,
    pub(super) told: Told,
    pub(super) turns: Turns,
    pub(super) departures: Mutex<HashMap<i32, Departures>>,
    /// Microseconds that are added to the server's time.
    offset: Arc<AtomicI64>,
    pub(super) notices: Notices,
    pub(super) gathering: Gathering,
    /// For which step between priorities tasks were ranked anew, and up to which.
    pub(super) ranked: Mutex<(i64, Uuid)>,
    pub(super) lists: Lists,
    pub(super) vacuuming: Arc<Vacuuming>,
    /// Where its own connections lead, once that was read.
    pub(super) home: OnceLock<Home>,
    /// How many figures were left when they were added up last.
    pub(super) folded_to: AtomicI64,
    /// The version of the tables, if this program is too old for it.
    pub(super) outgrown_by: AtomicI32,
    /// Whether the server let this store in once.
    pub(super) is_set_up: AtomicBool,
    /// When that was looked at last, or the store was made.
    pub(super) current_at: Mutex<Instant>,
}

/// Who tells other processes, and who hears them.
#[derive(Debug)]
pub(super) struct Notices {
    /// Drawn for each store: what it said itself it need not hear.
    pub(super) sender: u64,
    pub(super) are_heard: bool,
    /// Where they meet, once it was read.
    pub(super) channel: OnceLock<String>,
    pub(super) outbox: Outbox,
    /// The workers of this process: who tells them of their tasks need not tell others.
    pub(super) workers: Mutex<HashSet<WorkerId>>,
    pub(super) listening: Mutex<Option<AbortHandle>>,
}

impl Core {
    pub(super) fn new(
        pool: PgPool,
        source: Option<PgPool>,
        schema: &str,
        (timeout, list_timeout): (Duration, Duration),
        offset: Arc<AtomicI64>,
        (are_heard, vacuums): (bool, bool),
        (limit, made): (Limit, Arc<Made>),
    ) -> Arc<Self> {
        let notices = Notices {
            sender: fastrand::u64(..),
            are_heard,
            channel: OnceLock::new(),
            outbox: Outbox::new(),
            workers: Mutex::default(),
            listening: Mutex::default(),
        };
        let shared = Shared {
            texts: Texts::new(schema),
            names: Names::new(made),
            unbounded: Unbounded::default(),
            settings: RwLock::default(),
            limit,
            told: Told::default(),
            turns: Turns::default(),
            departures: Mutex::default(),
            offset,
            notices,
            gathering: Gathering::default(),
            ranked: Mutex::default(),
            lists: Lists::of(pool.options().get_max_connections(), list_timeout.min(timeout)),
            vacuuming: Vacuuming::new(vacuums),
            home: OnceLock::new(),
            folded_to: AtomicI64::new(0),
            outgrown_by: AtomicI32::new(0),
            is_set_up: AtomicBool::new(false),
            current_at: Mutex::new(Instant::now()),
        };
        super::sent::begin();
        Arc::new(Self { main: pool.clone(), pool, source, timeout, shared: Arc::new(shared) })
    }

    /// Which store it is. Its server goes by more than one name, and is left out.
    pub(super) fn place(&self) -> StorePlace {
        let options = self.main.connect_options();
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        StorePlace::new("postgres", format!("{database}.{}", self.texts.schema()))
    }

    /// The same store over another pool, and with other patience.
    pub(super) fn over(&self, pool: PgPool, timeout: Duration) -> Arc<Self> {
        let (main, source, shared) = (self.main.clone(), self.source.clone(), self.shared.clone());
        Arc::new(Self { pool, main, source, timeout, shared })
    }

    /// The same store over its main pool: what is no heartbeat does not stand in a heartbeat's way.
    pub(super) fn over_main(&self) -> Arc<Self> {
        self.over(self.main.clone(), self.timeout)
    }

    /// Goes the way to the server that the user's pool now goes: its password may have changed.
    pub(super) fn follow(&self) {
        if let Some(source) = &self.source
            && !Arc::ptr_eq(&source.connect_options(), &self.pool.connect_options())
        {
            self.pool.set_connect_options((*source.connect_options()).clone());
        }
    }
}

impl Deref for Core {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    pub(super) fn settings(&self) -> Arc<StoreSettings> {
        self.settings.read().clone()
    }

    /// Whether anybody wants to know of transitions, here or in another process.
    pub(super) fn are_transitions_wanted(&self) -> bool {
        self.told.is_anyone_there() || self.notices.outbox.is_wanted(Attention::Transitions)
    }

    pub(super) fn offset(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.lock().take() {
            listening.abort();
        }
    }
}
