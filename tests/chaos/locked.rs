//! Somebody else locks the store for twice the lease: a file, or a table.

use std::time::Instant;

use sqlx::{Connection as _, PgConnection};

use crate::{
    checker::{file_of, is_whole, nothing_is_lost},
    scene::Scene,
};

/// Who holds the lock. What ends with it.
enum Outsider {
    File(rusqlite::Connection),
    Table(PgConnection),
}

impl Outsider {
    async fn lock(scene: &Scene) -> Result<Self, String> {
        if let Some(path) = file_of(&scene.options.store) {
            let file = rusqlite::Connection::open(path).map_err(|it| it.to_string())?;
            file.busy_timeout(scene.patience).map_err(|it| it.to_string())?;
            file.execute_batch("BEGIN IMMEDIATE").map_err(|it| it.to_string())?;
            return Ok(Self::File(file));
        }
        let (url, options) = scene.options.store.split_once('?').ok_or("this store has nothing to lock")?;
        let schema = options.split('&').find_map(|it| it.strip_prefix("namespace=")).ok_or("it has no schema")?;
        let mut server = PgConnection::connect(url).await.map_err(|it| it.to_string())?;
        let lock = sqlx::AssertSqlSafe(format!("BEGIN; LOCK TABLE {schema}.task IN ACCESS EXCLUSIVE MODE"));
        sqlx::raw_sql(lock).execute(&mut server).await.map_err(|it| it.to_string())?;
        Ok(Self::Table(server))
    }

    async fn unlock(self) -> Result<(), String> {
        match self {
            Self::File(file) => file.execute_batch("COMMIT").map_err(|it| it.to_string()),
            Self::Table(mut server) => {
                sqlx::raw_sql("COMMIT").execute(&mut server).await.map(drop).map_err(|it| it.to_string())
            }
        }
    }
}

/// Locks the store from outside while bodies run.
///
/// # Errors
/// What did not hold.
pub(crate) async fn locked(scene: &mut Scene) -> Result<String, String> {
    let _workers = [scene.start("work"), scene.start("work")];
    scene.submit(2_000, 0..=60).await;
    scene.until("some ends", |it| it.ended > 100).await?;
    let outsider = Outsider::lock(scene).await?;
    tokio::time::sleep(2 * scene.options.lease).await;
    let before = scene.ledger.read().started;
    outsider.unlock().await?;
    let unlocked = Instant::now();
    scene.until("work", |it| it.started > before).await?;
    let resumed = unlocked.elapsed();
    scene.settle(scene.patience).await?;
    let records = scene.records().await;
    nothing_is_lost(&scene.acknowledged, &records, scene.ledger.read(), &[])?;
    is_whole(&scene.options.store)?;
    let crashes = records.values().filter(|it| it.crashes > 0).count();
    if crashes > 0 {
        return Err(format!("{crashes} tasks count a death, and nobody died"));
    }
    if resumed.as_secs() >= 5 {
        return Err(format!("work went on only after {resumed:?}"));
    }
    Ok(format!("locked for {:?}; work went on {resumed:?} after", 2 * scene.options.lease))
}
