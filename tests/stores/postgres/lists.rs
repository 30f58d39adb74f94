//! Lists have connections and time of their own: whoever looks holds up nobody who works.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use ddd_core::{Filter, PostgresStore, StoreErrorKind, TaskStatus, TaskStore};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::support::server;
use crate::sqlite::support::{claim, declare, enqueue, succeed, task};

const PATIENCE: Duration = Duration::from_secs(2);

async fn store(connections: u32) -> (PostgresStore, String) {
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(connections).list_timeout(PATIENCE);
    (options.connect(server().url()).await.unwrap(), namespace)
}

#[tokio::test]
async fn lists_that_hang_leave_connections_to_claims_and_end_in_time() {
    let (store, namespace) = store(2).await;
    declare(&store, 1).await;
    for number in 0..10 {
        enqueue(&store, task(number)).await;
    }
    let first = claim(&store, 1, 1).await.remove(0);
    succeed(&store, &first).await;
    let listed = |filter| store.list(filter, None, 50);
    assert_eq!(listed(Filter::all()).await.unwrap().items.len(), 10);
    // Nobody can read the history: each list waits at the server.
    let mut blocker = PgConnection::connect(server().url()).await.unwrap();
    let mut blocking = blocker.begin().await.unwrap();
    blocking.execute(AssertSqlSafe(format!("LOCK TABLE {namespace}.history"))).await.unwrap();
    let lists = (0..6).map(|_| tokio::spawn(listed(Filter::all().status(TaskStatus::Success)))).collect::<Vec<_>>();
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{namespace}.history%'"
    );
    // In no transaction: there, the server would give the answer of the first time again and again.
    let mut watching = PgConnection::connect(server().url()).await.unwrap();
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(AssertSqlSafe(waits.as_str())).fetch_one(&mut watching).await.unwrap() == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "no list waits");
        tokio::task::yield_now().await;
    }
    let mut claimed = 0;
    while claimed < 9 {
        claimed += claim(&store, 1, 1).await.len();
    }
    assert!(lists.iter().any(|it| !it.is_finished()), "claims went past the lists, not after them");
    let mut reasons = Vec::new();
    for list in lists {
        let error = list.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        reasons.push(error.source().unwrap().to_string());
    }
    assert!(reasons.iter().all(|it| it.contains("`list_timeout`")), "{reasons:?}");
    assert!(reasons.iter().any(|it| it.contains("the server did not read")), "{reasons:?}");
    assert!(reasons.iter().any(|it| it.contains("had no turn")), "{reasons:?}");
    blocking.rollback().await.unwrap();
    assert_eq!(listed(Filter::all()).await.unwrap().items.len(), 10, "its connection is whole");
    assert_eq!(claim(&store, 1, 1).await.len(), 0);
}

#[tokio::test]
async fn owners_have_any_length_and_find_their_own() {
    let (store, _) = store(3).await;
    let long = |last: char| format!("{}{last}", "x".repeat(9_000));
    let owners = [long('a'), long('b'), "ann".to_owned(), "nul\0".to_owned()];
    for (number, owner) in (0..).zip(&owners) {
        let mut task = task(number);
        let mut label = ddd_core::domain::Label::default();
        label.origin.owner = Some(owner.clone());
        task.label = Some(Box::new(label));
        enqueue(&store, task).await;
    }
    for (number, owner) in (0..).zip(&owners) {
        let found = store.list(Filter::all().owner(owner), None, 10).await.unwrap().items;
        assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [task(number).id]);
    }
    assert_eq!(store.list(Filter::all().owner("x".repeat(9_000)), None, 10).await.unwrap().items.len(), 0);
}
