//! The store of the test kit keeps the contract of the port.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    Moment,
    testing::{MemoryCacheStore, cache_conformance::CacheStoreUnderTest},
};

pub(crate) async fn fresh() -> CacheStoreUnderTest {
    let clock = Arc::new(AtomicU64::new(7));
    let read = clock.clone();
    let store = MemoryCacheStore::new(move || Moment::from_nanos(read.load(Ordering::SeqCst)));
    let advance = move |by: Duration| {
        clock.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Ordering::SeqCst);
    };
    CacheStoreUnderTest::new(Arc::new(store.clone()), Arc::new(store), advance)
}

ddd_core::testing::cache_store_conformance!(fresh());
