//! Another step between priorities: all that waits is ranked anew, in pieces, however much it is.

use std::time::Duration;

use ddd_core::{PostgresStore, Priority, RankStep, StoreSettings, TaskStore};
use sqlx::{AssertSqlSafe, PgPool};

use super::support::{pool, server};
use crate::sqlite::support::{claim, declare, enqueue, task};

/// Too little for one statement about all rows.
const LIMIT: Duration = Duration::from_millis(1_200);
const ROWS: u32 = 150_000;

fn with_step(step: Duration) -> StoreSettings {
    let mut settings = StoreSettings::default();
    settings.rank_step = RankStep::new(step);
    settings
}

async fn wrong_ranks(pool: &PgPool, namespace: &str, step: Duration) -> i64 {
    let text = format!(
        "SELECT count(*) FROM {namespace}.task WHERE status <= 4 AND rank <> due - priority * {}",
        step.as_micros()
    );
    sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_changed_step_ranks_any_number_of_tasks_anew_while_claims_go_on() {
    const BEFORE: Duration = Duration::from_secs(3_600);
    const AFTER: Duration = Duration::from_secs(60);
    let namespace = server().fresh_namespace();
    let connect = async || {
        let options = PostgresStore::options().namespace(&namespace).connections(1).statement_timeout(LIMIT);
        options.connect(server().url()).await.unwrap()
    };
    let mut store = connect().await;
    store.configure(with_step(BEFORE)).await.unwrap();
    declare(&store, 1).await;
    let mut first = task(1);
    first.priority = Priority::clamped(1);
    enqueue(&store, first).await;
    let pool = pool().await;
    let columns = "status, queue, kind, run, max_attempts, due, timeout, created_at, params";
    let fill = format!(
        "INSERT INTO {namespace}.task (id, priority, rank, {columns}) \
         SELECT ('01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n % 5 - 2, due - (n % 5 - 2) * {}::bigint, \
         {columns} FROM {namespace}.task, generate_series(1, {ROWS}) n",
        BEFORE.as_micros()
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    assert_eq!(wrong_ranks(&pool, &namespace, BEFORE).await, 0);

    // While another process ranks, this one leaves it to it, and does not wait.
    let mut other = pool.begin().await.unwrap();
    let text = format!("SELECT pg_advisory_xact_lock(hashtextextended('{namespace}.rank', 0))");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *other).await.unwrap();
    store.configure(with_step(AFTER)).await.unwrap();
    let all = i64::from(ROWS) / 5 * 4 + 1;
    assert_eq!(wrong_ranks(&pool, &namespace, AFTER).await, all);
    // That process ends, and later this one does; another one's upkeep goes on.
    other.rollback().await.unwrap();
    let (mut claimed, mut calls) = (0, 0);
    while wrong_ranks(&pool, &namespace, AFTER).await > 0 {
        store.reap(1).await.unwrap();
        calls += 1;
        if calls == 2 {
            store = connect().await;
        }
        assert!(calls < 300, "upkeep does not get on");
        claimed += claim(&store, 1, 4).await.len();
    }
    while store.reap(1).await.unwrap().more {}
    assert!(calls > 1 && claimed > 0, "claims went on");
    let order = claim(&store, 1, 100).await;
    let ranks = order.iter().map(|it| it.due.as_micros() - i64::from(it.priority.get()) * 60_000_000);
    assert!(ranks.is_sorted(), "the order is the new one");
    let text = format!("SELECT count(*) FROM {namespace}.setting WHERE name NOT IN ('rank_step', 'channel')");
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0, "nothing is left to do");
}

/// Two that change it at once, and a third time while it is done: the last one holds.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_many_steps_holds() {
    let (store, namespace) = super::support::fresh().await;
    declare(&store, 1).await;
    for number in 0..40 {
        let mut task = task(number);
        task.priority = Priority::clamped(i8::try_from(number % 5).unwrap() - 2);
        enqueue(&store, task).await;
    }
    let pool = pool().await;
    for round in 0..20 {
        let steps = [60, 120, 180].map(|it| Duration::from_secs(it + round));
        let all = steps.map(|step| {
            let store = store.clone();
            tokio::spawn(async move { store.configure(with_step(step)).await.unwrap() })
        });
        for it in all {
            it.await.unwrap();
        }
        while store.reap(100).await.unwrap().more {}
        let text = format!("SELECT value FROM {namespace}.setting WHERE name = 'rank_step'");
        let step: i64 = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&pool).await.unwrap();
        let step = Duration::from_micros(u64::try_from(step).unwrap());
        assert_eq!(wrong_ranks(&pool, &namespace, step).await, 0, "round {round}");
    }
}
