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

const NAMESPACE: &str = "churned";
/// So long it may take until upkeep has seen what died, and vacuumed it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How large each table is with its indexes, in bytes.
async fn sizes(pool: &PgPool) -> Vec<(String, i64)> {
    let text = "SELECT c.relname::text, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n \
                ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 2 DESC";
    sqlx::query_as(text).bind(NAMESPACE).fetch_all(pool).await.unwrap()
}

/// How often a table was vacuumed, but for the times that the server did it by itself.
async fn vacuums(pool: &PgPool, table: &str) -> i64 {
    let text = "SELECT vacuum_count FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2";
    sqlx::query_scalar(text).bind(NAMESPACE).bind(table).fetch_one(pool).await.unwrap()
}

/// Does upkeep until it has vacuumed this table once more than so often, and finds nothing more to do for a while: the server counts what
/// died with a delay of a second.
async fn wait_for_vacuum(store: &PostgresStore, pool: &PgPool, table: &str, before: i64) {
    let text = "SELECT count(*) FILTER (WHERE n_dead_tup >= 2000 + n_live_tup / 5), sum(vacuum_count)::bigint \
                FROM pg_stat_user_tables WHERE schemaname = $1";
    let (began, mut rests_since, mut seen) = (Instant::now(), Instant::now(), 0);
    while vacuums(pool, table).await <= before || rests_since.elapsed() < Duration::from_secs(3) {
        assert!(began.elapsed() < PATIENCE, "upkeep does not vacuum `{table}`");
        store.reap(1_000).await.unwrap();
        let (due, all): (i64, i64) = sqlx::query_as(text).bind(NAMESPACE).fetch_one(pool).await.unwrap();
        if due > 0 || std::mem::replace(&mut seen, all) != all {
            rests_since = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Submits so many tasks, runs them all in batches, and lets upkeep drop the records of those of the round before. How long each claim
/// took, in order.
async fn churn(store: &PostgresStore, from: u64, count: u64) -> Vec<Duration> {
    for batch in (from..from + count).collect::<Vec<_>>().chunks(1_000) {
        store.enqueue(batch.iter().map(|it| task(*it)).collect()).await.unwrap();
    }
    let mut left = count;
    let mut claims = Vec::new();
    while left > 0 {
        let began = Instant::now();
        let claimed = claim(store, 1, 200).await;
        claims.push(began.elapsed());
        assert!(!claimed.is_empty(), "{left} are left, and none is handed out");
        left -= claimed.len() as u64;
        let end = || AttemptEnd::Success { result: None, ttl: LEASE };
        store.finish(claimed.iter().map(|it| Finish::new(it.id, it.fence, end())).collect()).await.unwrap();
        if left % 10_000 < 200 {
            while store.reap(1_000).await.unwrap().more {}
        }
    }
    claims.sort_unstable();
    claims
}

/// Ten times so many tasks take hardly more room than once so many, on a server as it comes: what is over is dropped after a while, and
/// upkeep makes its room free for what comes, because the server's own vacuum looks only once a minute.
#[tokio::test(flavor = "multi_thread")]
async fn ten_rounds_take_hardly_more_room_than_one() {
    // Upkeep goes on between the rounds, as it does in a process that works: a short round ends before it has looked.
    let is_nightly = std::env::var_os("DDD_NIGHTLY").is_some();
    let (count, rounds) = if is_nightly { (100_000, 10) } else { (20_000, 4) };
    let server = PostgresServer::start(false).unwrap_or_else(|it| panic!("{it}"));
    let pool = PgPool::connect(server.url()).await.unwrap();
    let offset = Arc::new(AtomicI64::new(0));
    let options = PostgresStore::options().namespace(NAMESPACE).connections(2).time_offset(offset.clone());
    let store = options.connect(server.url()).await.unwrap();
    declare(&store, 1).await;
    let mut settings = StoreSettings::default();
    let day = Duration::from_secs(24 * 3_600);
    (settings.history_ttl, settings.failed_ttl) = (day, day);
    store.configure(settings).await.unwrap();
    let (mut first, mut last) = (0, 0);
    for round in 0..rounds {
        let began = Instant::now();
        let before = (vacuums(&pool, "task").await, vacuums(&pool, "history").await);
        let claims = churn(&store, round * count, count).await;
        let (middle, late) = (claims[claims.len() / 2], claims[claims.len() * 99 / 100]);
        let all = sizes(&pool).await;
        last = all.iter().map(|it| it.1).sum();
        println!(
            "round {round}: {last} bytes after {:?}, claims {middle:?} and at most {late:?} of 99 %, {} vacuums: {:?}",
            began.elapsed(),
            vacuums(&pool, "task").await,
            &all[..4]
        );
        if round == 0 {
            first = last;
        }
        // The records of this round are too old in the next one.
        offset.fetch_add(2 * i64::try_from(day.as_micros()).unwrap(), Ordering::SeqCst);
        declare(&store, 1).await;
        if !is_nightly {
            while store.reap(1_000).await.unwrap().more {}
            wait_for_vacuum(&store, &pool, "history", before.1).await;
        }
        wait_for_vacuum(&store, &pool, "task", before.0).await;
    }
    let text = format!("SELECT count(*) FROM {NAMESPACE}.history");
    let kept: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
    assert!(kept <= 2 * i64::try_from(count).unwrap(), "{kept} records are kept");
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = last as f64 / first as f64;
    println!("{count} tasks {rounds} times: {ratio:.2} times the room of the first {count}");
    assert!(ratio <= 1.5, "{ratio:.2} times the room after {rounds} rounds");
}

/// A role that may not vacuum leaves it to the server without a word: what it tried in vain would be a warning each time. So does a
/// store that is told to.
#[tokio::test]
async fn who_may_or_shall_not_vacuum_does_not() {
    let server = PostgresServer::start(false).unwrap_or_else(|it| panic!("{it}"));
    let pool = PgPool::connect(server.url()).await.unwrap();
    let owner = PostgresStore::options().namespace(NAMESPACE).connections(2);
    let owner = owner.vacuum(false).connect(server.url()).await.unwrap();
    for text in [
        "CREATE ROLE worker LOGIN".to_owned(),
        format!("GRANT USAGE ON SCHEMA {NAMESPACE} TO worker"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {NAMESPACE} TO worker"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    }
    let url = server.url().replace("postgres@", "worker@");
    let options = || PostgresStore::options().namespace(NAMESPACE).connections(2).migrate(false);
    let worker = options().connect(&url).await.unwrap();
    declare(&owner, 1).await;
    churn(&owner, 0, 6_000).await;
    // It looks once a second.
    let (began, dead) = (Instant::now(), "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'task'");
    let mut seen_at = None;
    while seen_at.is_none_or(|it: Instant| it.elapsed() < Duration::from_secs(3)) {
        assert!(began.elapsed() < PATIENCE, "the server does not count");
        let dead: i64 = sqlx::query_scalar(dead).fetch_one(&pool).await.unwrap();
        seen_at = seen_at.or_else(|| (dead > 6_000).then(Instant::now));
        for store in [&owner, &worker] {
            store.reap(1_000).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(vacuums(&pool, "task").await, 0);
    assert!(!server.log().contains("vacuum"), "{}", server.log());
    let members = "GRANT postgres TO worker";
    sqlx::raw_sql(members).execute(&pool).await.unwrap();
    let member = options().connect(&url).await.unwrap();
    wait_for_vacuum(&member, &pool, "task", 0).await;
}

/// Behind a pooler nothing may stay on a connection, and the store has only one.
#[tokio::test]
async fn upkeep_vacuums_behind_a_pooler_too() {
    let server = PostgresServer::start(false).unwrap_or_else(|it| panic!("{it}"));
    let pool = PgPool::connect(server.url()).await.unwrap();
    let options = PostgresStore::options().namespace(NAMESPACE).connections(1).listen(false);
    let store = options.connect(server.url()).await.unwrap();
    declare(&store, 1).await;
    churn(&store, 0, 6_000).await;
    wait_for_vacuum(&store, &pool, "task", 0).await;
}
