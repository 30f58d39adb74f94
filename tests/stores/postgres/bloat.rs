//! What is churned does not make the tables grow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{
    PostgresStore, TaskStore,
    ports::{AttemptEnd, Finish, StoreSettings},
};
use sqlx::{AssertSqlSafe, PgPool};

use crate::sqlite::support::{LEASE, claim, declare, task};

/// How large each table is with its indexes, in bytes.
async fn sizes(pool: &PgPool, namespace: &str) -> Vec<(String, i64)> {
    let text = "SELECT c.relname::text, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n \
                ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 2 DESC";
    sqlx::query_as(text).bind(namespace).fetch_all(pool).await.unwrap()
}

/// Submits so many tasks, runs them all in batches, and lets upkeep drop the records of those of the round before.
async fn churn(store: &PostgresStore, from: u64, count: u64) {
    for batch in (from..from + count).collect::<Vec<_>>().chunks(1_000) {
        store.enqueue(batch.iter().map(|it| task(*it)).collect()).await.unwrap();
    }
    let mut left = count;
    while left > 0 {
        let claimed = claim(store, 1, 200).await;
        assert!(!claimed.is_empty(), "{left} are left, and none is handed out");
        left -= claimed.len() as u64;
        let end = || AttemptEnd::Success { result: None, ttl: LEASE };
        store.finish(claimed.iter().map(|it| Finish::new(it.id, it.fence, end())).collect()).await.unwrap();
        if left % 10_000 < 200 {
            while store.reap(1_000).await.unwrap().more {}
        }
    }
}

/// Ten times so many tasks take hardly more room than once so many: what is over is dropped after a while, and vacuum makes its room
/// free for what comes.
#[tokio::test(flavor = "multi_thread")]
async fn ten_rounds_take_hardly_more_room_than_one() {
    // As a server looks once a minute for what to clean, ten rounds would be over before it has looked twice: here it looks once a
    // second. A short run is over even before that, so there the test does what the server would do.
    let is_nightly = std::env::var_os("DDD_NIGHTLY").is_some();
    let count = if is_nightly { 100_000 } else { 3_000 };
    let server = PostgresServer::start(false).unwrap_or_else(|it| panic!("{it}"));
    let pool = PgPool::connect(server.url()).await.unwrap();
    if is_nightly {
        sqlx::raw_sql("ALTER SYSTEM SET autovacuum_naptime = 1").execute(&pool).await.unwrap();
        sqlx::raw_sql("SELECT pg_reload_conf()").execute(&pool).await.unwrap();
    }
    let (namespace, offset) = ("churned", Arc::new(AtomicI64::new(0)));
    let options = PostgresStore::options().namespace(namespace).connections(2).time_offset(offset.clone());
    let store = options.connect(server.url()).await.unwrap();
    declare(&store, 1).await;
    let mut settings = StoreSettings::default();
    let day = Duration::from_secs(24 * 3_600);
    (settings.history_ttl, settings.failed_ttl) = (day, day);
    store.configure(settings).await.unwrap();
    let (mut first, mut last) = (0, 0);
    for round in 0..10 {
        let began = Instant::now();
        churn(&store, round * count, count).await;
        let all = sizes(&pool, namespace).await;
        last = all.iter().map(|it| it.1).sum();
        println!("round {round}: {last} bytes after {:?}: {:?}", began.elapsed(), &all[..4]);
        if round == 0 {
            first = last;
        }
        // The records of this round are too old in the next one.
        offset.fetch_add(2 * i64::try_from(day.as_micros()).unwrap(), Ordering::SeqCst);
        declare(&store, 1).await;
        if !is_nightly {
            while store.reap(1_000).await.unwrap().more {}
            sqlx::raw_sql("VACUUM").execute(&pool).await.unwrap();
        }
    }
    let text = format!("SELECT count(*) FROM {namespace}.history");
    let kept: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
    assert!(kept <= 2 * i64::try_from(count).unwrap(), "{kept} records are kept");
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = last as f64 / first as f64;
    println!("{count} tasks ten times: {ratio:.2} times the room of the first {count}");
    assert!(ratio <= 1.5, "{ratio:.2} times the room after ten rounds");
}
