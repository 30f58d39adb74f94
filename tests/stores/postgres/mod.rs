//! The store in PostgreSQL, on a private server.

mod at_once;
mod awaited;
mod bloat;
mod circles;
mod dropped;
mod elsewhere;
mod enlist;
mod guards;
mod lists;
mod plans;
mod processes;
mod proxy;
mod races;
mod rights;
mod steps;
mod submitting;
mod support;
mod trouble;
mod trouble_run;
mod versions;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ddd_core::testing::conformance::StoreUnderTest;

pub(crate) use versions::{on_tables_of_a_later_version, on_tables_of_version_1};

/// In a schema of its own. Its clock is the server's, which goes by itself, and an offset.
pub(crate) async fn on_the_servers_clock() -> StoreUnderTest {
    let offset = Arc::new(AtomicI64::new(0));
    let options = support::options().time_offset(offset.clone());
    let store = options.connections(3).connect(support::server().url()).await.unwrap();
    StoreUnderTest::new(Arc::new(store), move |duration: Duration| {
        offset.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
    })
}
