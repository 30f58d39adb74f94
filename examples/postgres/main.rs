//! Orders in PostgreSQL, each with a task in the same transaction, and two worker processes.
//! `cargo run --example postgres --features postgres -- postgres://user@host/database`.
//!
//! The program starts itself twice more, as `postgres worker <url> <name>`. It makes the schema `ddd_example`, and drops it in the end.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]
#![allow(clippy::print_stdout, reason = "it is to be looked at")]

use std::{
    process::{Child, Command},
    time::Duration,
};

use ddd_core::{App, Filter, PostgresStore, TaskStatus, task};
use sqlx::PgPool;

/// How a part of the program ends.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ORDERS: i32 = 20;

/// Who this process is, for the task to tell.
#[derive(Clone)]
struct Clerk(String);

/// Confirms an order that was placed: it finds the order, because a task is there only if its order is.
#[task]
async fn confirm_order(order: i32, #[inject] clerk: Clerk, #[inject] pool: PgPool) -> Result<String, sqlx::Error> {
    let update = sqlx::query("UPDATE ddd_example.orders SET confirmed_by = $2 WHERE id = $1");
    let done = update.bind(order).bind(&clerk.0).execute(&pool).await?;
    if done.rows_affected() == 1 { Ok(clerk.0) } else { Err(sqlx::Error::RowNotFound) }
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker", url, name] => Ok(app(url, name).await?.run().await.map(drop)?),
        [url] => show(url).await,
        _ => Err("which database? write `cargo run --example postgres --features postgres -- postgres://…`".into()),
    }
}

async fn app(url: &str, name: &str) -> Outcome<App> {
    // A pool that connects when it is used: the store is the first to do so, and tells why if the server does not answer.
    let pool = PgPool::connect_lazy(url)?;
    let options = PostgresStore::options().namespace("ddd_example").statement_timeout(Duration::from_secs(4));
    let store = options.over(pool.clone()).await?;
    Ok(App::builder().store(store).provide(Clerk(name.to_owned())).provide(pool).build().await?)
}

async fn show(url: &str) -> Outcome {
    let app = app(url, "front desk").await?;
    let pool = PgPool::connect(url).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS ddd_example.orders (id INTEGER PRIMARY KEY, confirmed_by TEXT)")
        .execute(&pool)
        .await?;
    println!("every second of {ORDERS} orders is taken back before it is committed, and its task with it");
    for order in 1..=ORDERS {
        let mut tx = pool.begin().await?;
        sqlx::query("INSERT INTO ddd_example.orders (id) VALUES ($1)").bind(order).execute(&mut *tx).await?;
        app.submit(confirm_order { order }).within(&mut tx).await?;
        if order % 2 == 0 { tx.commit().await? } else { tx.rollback().await? }
    }
    let waiting = app.tasks().statistics().await?.now.queued();
    println!("{waiting} tasks wait, and nobody works; two processes begin");
    let workers = ["anna", "boris"].map(|name| Worker::start(url, name));
    while app.tasks().statistics().await?.now.get(TaskStatus::Success) < u64::from(ORDERS.unsigned_abs()) / 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(workers);
    let confirmed: Vec<(String, i64)> = sqlx::query_as(
        "SELECT confirmed_by, count(*) FROM ddd_example.orders WHERE confirmed_by IS NOT NULL GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&pool)
    .await?;
    for (name, count) in confirmed {
        println!("{name} confirmed {count}");
    }
    let records = app.tasks().list(Filter::all(), None, 100).await?.items;
    println!("{} tasks are on record, all of committed orders", records.len());
    sqlx::query("DROP SCHEMA ddd_example CASCADE").execute(&pool).await?;
    Ok(())
}

/// A process that works; it ends with this one.
struct Worker(Option<Child>);

impl Worker {
    fn start(url: &str, name: &str) -> Self {
        let program = std::env::current_exe();
        Self(program.and_then(|it| Command::new(it).args(["worker", url, name]).spawn()).ok())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
