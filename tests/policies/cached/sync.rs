//! Functions that are not async.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ddd_core::{__private::policies::CachedSettings, domain::Tag, testing::isolated};

use super::rules::{Plain, Precious, Unshared};
use crate::{cell, support::figure};

/// So many threads at once; the body waits until all the others have begun their call.
fn herd<T: Send>(threads: usize, call: impl Fn(&Barrier) -> T + Sync) -> Vec<T> {
    let begin = Barrier::new(threads);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..threads).map(|_| scope.spawn(|| call(&begin))).collect();
        callers.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn threads_that_call_at_once_run_one_body() {
    let (cell, runs) = (cell!(CachedCell, CachedSettings::new()), AtomicU64::new(0));
    let values = herd(16, |begin| {
        begin.wait();
        let body = || {
            // Long enough for the others to come; if they come later, they hit.
            thread::sleep(Duration::from_millis(20));
            Ok::<_, Infallible>(runs.fetch_add(1, Ordering::SeqCst) + 1)
        };
        cell.fill_now(1_u64, Plain, body).unwrap()
    });
    assert_eq!(values, [1; 16]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_reaches_all_threads_that_wait() {
    let (cell, runs) = (cell!(CachedCell, CachedSettings::new()), AtomicU64::new(0));
    let values = herd(4, |begin| {
        begin.wait();
        let body = || -> Result<u64, Infallible> {
            runs.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            panic!("the body panics")
        };
        catch_unwind(AssertUnwindSafe(|| cell.fill_now(1_u64, Plain, body))).is_err()
    });
    assert_eq!(values, [true; 4]);
    assert!(runs.load(Ordering::SeqCst) <= 4);
    assert_eq!(cell.fill_now(1_u64, Plain, || Ok::<u64, Infallible>(2)), Ok(2));
}

#[test]
fn errors_that_cannot_be_copied_take_turns() {
    let (cell, inside) = (cell!(CachedCell, CachedSettings::new()), AtomicU64::new(0));
    let values = herd(8, |begin| {
        begin.wait();
        let body = || {
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two bodies run at once");
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Err::<u64, _>(Precious(1)))
        };
        cell.fill_now(1_u64, Unshared, body).unwrap()
    });
    assert!(values.iter().all(|it| *it == Err(Precious(1))));
}

#[tokio::test]
async fn they_have_the_same_cache_as_others() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let call = |value| {
            let tags = || vec![Tag::from("all")];
            cell.fill_now_tagged(1_u64, Plain, tags, || Ok::<u64, Infallible>(value)).unwrap()
        };
        assert_eq!([call(1), call(2), call(3)], [1, 1, 1]);
        let handle: ddd_core::CacheHandle<u64, u64> = ddd_core::CacheHandle::new::<()>(cell, super::rules::plain());
        handle.invalidate_tag("all").await;
        assert_eq!([call(4), call(5)], [4, 4]);
        assert_eq!((figure(cell, "hits"), figure(cell, "misses")), (3, 2));
    })
    .await;
}

#[test]
fn a_body_that_calls_its_own_key_does_not_wait_for_itself() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let outer = cell.fill_now(1_u64, Plain, || {
        let inner = cell.fill_now(1_u64, Plain, || Ok::<u64, Infallible>(20));
        inner.map(|it| it + 1)
    });
    assert_eq!(outer, Ok(21));
}

#[test]
fn without_a_runtime_async_callers_are_served_as_well() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let call = |value| {
        let make = move || async move { Ok::<u64, Infallible>(value) };
        futures_util::FutureExt::now_or_never(cell.fill_detached(1_u64, Plain, make))
    };
    assert_eq!([call(1), call(2)], [Some(Ok(1)), Some(Ok(1))]);
}
