//! The store in an SQLite file.

mod awaited;
mod enlist;
mod files;
mod folder;
pub(crate) mod support;
mod syncs;
mod trouble;

use std::{sync::Arc, time::Duration};

use ddd_core::{Durability, SqliteStore, testing::conformance::StoreUnderTest};
pub(crate) use folder::Folder;

use crate::clock::{Going, TestClock};

/// The rules do not depend on syncs, which cost most of the time.
pub(crate) async fn on_a_clock_that_stands() -> StoreUnderTest {
    let (folder, clock) = (Folder::new(), Arc::new(TestClock::new()));
    let options = SqliteStore::options(folder.file()).durability(Durability::PowerCutMayDestroyTheFile);
    let store = options.clock(clock.clone()).open().unwrap();
    under_test(store, folder, move |it| clock.advance(it))
}

/// As users get it.
pub(crate) async fn on_a_clock_that_goes() -> StoreUnderTest {
    let (folder, clock) = (Folder::new(), Arc::new(Going::new()));
    let store = SqliteStore::options(folder.file()).clock(clock.clone()).open().unwrap();
    under_test(store, folder, move |it| clock.advance(it))
}

/// The folder lives as long as the test.
fn under_test(
    store: SqliteStore,
    folder: Folder,
    advance: impl Fn(Duration) + Send + Sync + 'static,
) -> StoreUnderTest {
    StoreUnderTest::new(Arc::new(store), move |duration| {
        let _ = &folder;
        advance(duration);
    })
}
