//! What was begun before an invalidation is never served after it.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use ddd_core::{
    __private::policies::{CacheHandle, CachedCell, CachedSettings, Fill},
    ports::Policy,
    testing::isolated,
};
use tokio::task::yield_now;

use super::rules::{Plain, free, plain};
use crate::{
    cell,
    support::{Seed, seeds},
};

type Actor = Pin<Box<dyn Future<Output = ()>>>;

/// What the cached function reads, and how new its answers must be.
#[derive(Default)]
struct Source {
    /// Goes on with each write.
    version: AtomicU64,
    /// The version at the last invalidation that is done.
    floor: AtomicU64,
}

/// Lets others go first, so many times.
async fn pause(mut turns: u32) {
    poll_fn(|_| {
        turns = turns.saturating_sub(1);
        if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn call(cell: &'static CachedCell, source: Arc<Source>, pace: u32, detached: bool) -> u64 {
    let key = 1_u64;
    let body = move || {
        Fill::new(async move {
            let version = source.version.load(Ordering::SeqCst);
            for _ in 0..pace {
                if detached {
                    yield_now().await;
                } else {
                    pause(2).await;
                }
            }
            Ok::<_, Infallible>(version)
        })
        .tagged(["one", "two"])
    };
    let answer = if detached {
        cell.fill_detached(free(key), Plain, body).await
    } else {
        cell.fill(free(key), Plain, body).await
    };
    answer.unwrap()
}

fn caller(cell: &'static CachedCell, source: Arc<Source>, mut rng: fastrand::Rng, detached: bool) -> Actor {
    Box::pin(async move {
        for _ in 0..rng.u32(1..5) {
            pause(rng.u32(1..6)).await;
            let floor = source.floor.load(Ordering::SeqCst);
            let version = call(cell, source.clone(), rng.u32(0..6), detached).await;
            assert!(version >= floor, "version {version} was served, begun before the invalidation of {floor}");
        }
    })
}

fn writer(cell: &'static CachedCell, source: Arc<Source>, mut rng: fastrand::Rng) -> Actor {
    let handle: CacheHandle<u64, u64> = CacheHandle::new::<()>(cell, plain());
    Box::pin(async move {
        for _ in 0..rng.u32(1..4) {
            pause(rng.u32(1..8)).await;
            let version = source.version.fetch_add(1, Ordering::SeqCst) + 1;
            match rng.u8(0..5) {
                0 => handle.invalidate_tag("one").await,
                1 => handle.clear().await,
                2 => cell.clear(),
                3 => handle.put_tagged(1, version, ["one", "two"]).await,
                _ => handle.invalidate(&1).await,
            }
            source.floor.fetch_max(version, Ordering::SeqCst);
        }
    })
}

async fn interleave(cell: &'static CachedCell, seed: u64, detached: bool) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let source = Arc::<Source>::default();
    let callers = (0..rng.u32(2..6)).map(|_| caller(cell, source.clone(), rng.fork(), detached)).collect::<Vec<_>>();
    let writers = (0..rng.u32(1..3)).map(|_| writer(cell, source.clone(), rng.fork())).collect::<Vec<_>>();
    let mut actors: Vec<_> = callers.into_iter().chain(writers).collect();
    while !actors.is_empty() {
        let next = rng.usize(0..actors.len());
        // Everybody is polled again and again, so nobody needs to be woken.
        if actors[next].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(actors.swap_remove(next));
        }
        if rng.u8(0..3) == 0 {
            yield_now().await;
        }
        // Now and then a caller goes away.
        if !detached && actors.len() > 2 && rng.u8(0..60) == 0 {
            drop(actors.swap_remove(0));
        }
    }
}

#[tokio::test]
async fn nothing_begun_before_an_invalidation_is_served_after_it() {
    let cell = cell!(CachedCell, CachedSettings::new());
    for seed in seeds(1_000) {
        let _seed = Seed(seed);
        isolated(interleave(cell, seed, seed % 2 == 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_among_threads() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let handle: CacheHandle<u64, u64> = CacheHandle::new::<()>(cell, plain());
    let source = Arc::<Source>::default();
    let reader = |source: Arc<Source>| async move {
        for turn in 0..20_000_u32 {
            let floor = source.floor.load(Ordering::SeqCst);
            let version = call(cell, source.clone(), turn % 2, true).await;
            assert!(version >= floor, "version {version} was served, begun before the invalidation of {floor}");
        }
    };
    let readers: Vec<_> = (0..4).map(|_| tokio::spawn(reader(source.clone()))).collect();
    while readers.iter().any(|it| !it.is_finished()) {
        let version = source.version.fetch_add(1, Ordering::SeqCst) + 1;
        match version % 3 {
            0 => handle.invalidate_tag("two").await,
            1 => handle.clear().await,
            _ => handle.invalidate(&1).await,
        }
        source.floor.fetch_max(version, Ordering::SeqCst);
        yield_now().await;
    }
    for reader in readers {
        reader.await.expect("no reader met an old version");
    }
}
