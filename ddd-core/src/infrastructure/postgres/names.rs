use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    error::{Outcome, Remedy},
    numbers::{count, small},
    texts::Texts,
};
use crate::{domain::Name, ports::NewTask};

/// Queues and kinds (names and versions of tasks) by their numbers. What was read stays: no number is ever given anew, as long as the
/// server loses no commit.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: RwLock<Known>,
    made: Arc<Made>,
    /// So many connections had been made when it was read whether all names are still there.
    read_at: AtomicU64,
}

/// How many connections were made. Behind a new one there may be a server that has crashed, or another one in its place, and that has
/// lost its last commits: names with them, whose numbers others get.
#[derive(Debug, Default)]
pub(super) struct Made(AtomicU64);

impl Made {
    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Debug, Default)]
struct Known {
    queues: HashMap<Name, i32>,
    queue_names: HashMap<i32, Name>,
    kinds: HashMap<Name, BTreeMap<u32, i32>>,
    kind_names: HashMap<i32, (Name, u32)>,
}

impl Known {
    fn add(&mut self, queues: &[PgRow], kinds: &[PgRow]) -> Outcome<()> {
        for row in queues {
            let (number, name) = (row.try_get(0)?, Name::from(row.try_get::<&str, _>(1)?));
            self.queue_names.insert(number, name.clone());
            self.queues.insert(name, number);
        }
        for row in kinds {
            let (number, name) = (row.try_get(0)?, Name::from(row.try_get::<&str, _>(1)?));
            let version = count(row.try_get(2)?);
            self.kind_names.insert(number, (name.clone(), version));
            self.kinds.entry(name).or_default().insert(version, number);
        }
        Ok(())
    }

    fn forget(&mut self, queues: &HashSet<i32>, kinds: &HashSet<i32>) {
        self.queues.retain(|_, it| !queues.contains(it));
        self.queue_names.retain(|it, _| !queues.contains(it));
        self.kinds.values_mut().for_each(|versions| versions.retain(|_, it| !kinds.contains(it)));
        self.kinds.retain(|_, versions| !versions.is_empty());
        self.kind_names.retain(|it, _| !kinds.contains(it));
    }
}

impl Names {
    pub(super) fn new(made: Arc<Made>) -> Self {
        Self { made, ..Self::default() }
    }

    /// Nobody knows whether the server still has them all.
    pub(super) fn doubt(&self) {
        self.made.one_more();
    }

    /// Whether a connection was made since that was read last.
    pub(super) fn are_doubted(&self) -> bool {
        self.made.0.load(Ordering::Acquire) != self.read_at.load(Ordering::Acquire)
    }

    /// Reads all names, and forgets those that are gone. The connection is in no transaction.
    pub(super) async fn read_anew(&self, conn: &mut PgConnection, texts: &Texts) -> Outcome<()> {
        let made = self.made.0.load(Ordering::Acquire);
        // What is added meanwhile is there.
        let (queues, kinds): (HashSet<_>, HashSet<_>) = {
            let known = self.known.read();
            (known.queue_names.keys().copied().collect(), known.kind_names.keys().copied().collect())
        };
        // There are no tables before there are names.
        if !queues.is_empty() || !kinds.is_empty() {
            let found = fetch(conn, texts).await;
            let mut known = self.known.write();
            known.forget(&queues, &kinds);
            match found {
                Ok((queues, kinds)) => known.add(&queues, &kinds)?,
                Err(trouble) if trouble.remedy == Remedy::Reconnect => return Err(trouble),
                // They will be read by whoever needs them.
                Err(_) => {}
            }
        }
        self.read_at.fetch_max(made, Ordering::AcqRel);
        Ok(())
    }

    pub(super) fn queue(&self, name: &str) -> Option<i32> {
        self.known.read().queues.get(name).copied()
    }

    pub(super) fn queue_name(&self, number: i32) -> Option<Name> {
        self.known.read().queue_names.get(&number).cloned()
    }

    /// All queues that were met here.
    pub(super) fn queues(&self) -> Vec<Name> {
        self.known.read().queues.keys().cloned().collect()
    }

    pub(super) fn kind(&self, name: &str, version: u32) -> Option<i32> {
        self.known.read().kinds.get(name)?.get(&version).copied()
    }

    /// Those of a task's queue and kind, if both have one.
    pub(super) fn numbers(&self, task: &NewTask) -> Option<(i32, i32)> {
        let known = self.known.read();
        Some((*known.queues.get(&task.queue)?, *known.kinds.get(&task.name)?.get(&task.version)?))
    }

    pub(super) fn kind_name(&self, number: i32) -> Option<(Name, u32)> {
        self.known.read().kind_names.get(&number).cloned()
    }

    /// The kinds whose name is wanted.
    pub(super) fn kinds_named(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<i32> {
        let known = self.known.read();
        known.kinds.iter().filter(|it| is_wanted(it.0)).flat_map(|it| it.1.values().copied()).collect()
    }

    /// Whether each of these numbers has a name here.
    pub(super) fn hold(&self, queues: impl IntoIterator<Item = i32>, kinds: impl IntoIterator<Item = i32>) -> bool {
        let known = self.known.read();
        queues.into_iter().all(|it| known.queue_names.contains_key(&it))
            && kinds.into_iter().all(|it| known.kind_names.contains_key(&it))
    }

    /// Reads all names that are committed.
    pub(super) async fn read(&self, conn: &mut PgConnection, texts: &Texts) -> Outcome<()> {
        let (queues, kinds) = fetch(conn, texts).await?;
        self.known.write().add(&queues, &kinds)
    }

    /// Sees to it that queues and kinds have numbers. The connection is in no transaction: one that is rolled back would take
    /// the numbers along.
    pub(super) async fn make(
        &self,
        conn: &mut PgConnection,
        texts: &Texts,
        queues: &[&Name],
        kinds: &[(&Name, u32)],
    ) -> Outcome<()> {
        let queues = queues.iter().filter(|it| self.queue(it).is_none()).map(|it| it.as_str()).collect::<Vec<_>>();
        let kinds = kinds.iter().filter(|(name, version)| self.kind(name, *version).is_none()).collect::<Vec<_>>();
        if queues.is_empty() && kinds.is_empty() {
            return Ok(());
        }
        insert(conn, texts, &queues, &kinds.iter().map(|it| (it.0.as_str(), it.1)).collect::<Vec<_>>()).await?;
        self.read(conn, texts).await
    }
}

async fn fetch(conn: &mut PgConnection, texts: &Texts) -> Outcome<(Vec<PgRow>, Vec<PgRow>)> {
    let queues = sqlx::query(texts.of("SELECT number, name FROM ddd.queue")).fetch_all(&mut *conn).await?;
    let kinds = sqlx::query(texts.of("SELECT number, name, version FROM ddd.kind")).fetch_all(conn).await?;
    Ok((queues, kinds))
}

/// Gives numbers to those that have none. Many do so at once, in one order.
pub(super) async fn insert(
    conn: &mut PgConnection,
    texts: &Texts,
    queues: &[&str],
    kinds: &[(&str, u32)],
) -> Outcome<()> {
    if !queues.is_empty() {
        let text = "INSERT INTO ddd.queue (name) SELECT DISTINCT n FROM unnest($1::text[]) n \
                    WHERE NOT EXISTS (SELECT FROM ddd.queue q WHERE q.name = n) ORDER BY n ON CONFLICT DO NOTHING";
        sqlx::query(texts.of(text)).bind(queues).execute(&mut *conn).await?;
    }
    if !kinds.is_empty() {
        let names = kinds.iter().map(|it| it.0).collect::<Vec<_>>();
        let versions = kinds.iter().map(|it| small(it.1)).collect::<Vec<_>>();
        let text = "INSERT INTO ddd.kind (name, version) \
                    SELECT DISTINCT n, v FROM unnest($1::text[], $2::integer[]) u(n, v) \
                    WHERE NOT EXISTS (SELECT FROM ddd.kind k WHERE k.name = n AND k.version = v) \
                    ORDER BY n, v ON CONFLICT DO NOTHING";
        sqlx::query(texts.of(text)).bind(names).bind(versions).execute(conn).await?;
    }
    Ok(())
}
