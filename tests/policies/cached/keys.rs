//! Keys of functions, instances, receivers and arguments do not meet.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Debug,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
};

use ddd_core::{
    __private::policies::{CachedCell, CachedSettings, Lent, Of, Own, Parts},
    testing::isolated,
};

use super::rules::Plain;
use crate::{
    cell,
    support::{Seed, seeds},
};

/// Two types that a generic function may be called with.
struct Users;
struct Orders;

/// What was answered to each call, written out as a text that tells all of them apart.
#[derive(Default)]
struct Answers(HashMap<String, u64>);

impl Answers {
    async fn ask<K>(&mut self, cell: &'static CachedCell, function: usize, key: K)
    where
        K: Hash + Eq + Debug + Send + Sync + 'static,
    {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let call = format!("{function} {} {key:?}", std::any::type_name::<K>());
        let body = || async { Ok::<_, Infallible>(NEXT.fetch_add(1, Ordering::SeqCst)) };
        let answer = cell.fill(key, Plain, body).await.unwrap();
        let first = *self.0.entry(call.clone()).or_insert(answer);
        assert_eq!(answer, first, "another call's value was served to `{call}`");
        let met = self.0.iter().find(|(other, value)| **other != call && **value == answer);
        assert_eq!(met, None, "two calls have one value: `{call}` and this");
    }
}

fn text(rng: &mut fastrand::Rng) -> String {
    (0..rng.usize(0..4)).map(|_| *rng.choice(&['a', 'b', '\0', '/']).unwrap()).collect()
}

#[tokio::test]
async fn calls_that_differ_never_share_a_value() {
    const CASES: usize = 10_000;
    let functions = [cell!(CachedCell, CachedSettings::new()), cell!(CachedCell, CachedSettings::new())];
    for seed in seeds(1) {
        let _seed = Seed(seed);
        let mut rng = fastrand::Rng::with_seed(seed);
        isolated(async {
            let mut answers = Answers::default();
            for _ in 0..CASES {
                let function = rng.usize(0..functions.len());
                let cell = functions[function];
                let small = rng.u64(0..20);
                match rng.u8(0..8) {
                    0 => answers.ask(cell, function, (text(&mut rng), text(&mut rng))).await,
                    1 => answers.ask(cell, function, text(&mut rng)).await,
                    2 => answers.ask(cell, function, (small, text(&mut rng))).await,
                    3 => answers.ask(cell, function, (PhantomData::<fn() -> Users>, small)).await,
                    4 => answers.ask(cell, function, (PhantomData::<fn() -> Orders>, small)).await,
                    5 => answers.ask(cell, function, (small, small + 1)).await,
                    6 => answers.ask(cell, function, Some(small)).await,
                    _ => answers.ask(cell, function, vec![text(&mut rng); rng.usize(0..3)]).await,
                }
            }
        })
        .await;
    }
}

/// A key whose hash says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alike(u64);

impl Hash for Alike {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

#[tokio::test]
async fn keys_of_one_hash_are_told_apart() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        for turn in 0..1_000 {
            let key = turn % 7;
            let value = cell.fill(Alike(key), Plain, || async move { Ok::<_, Infallible>(key) }).await;
            assert_eq!(value, Ok(key));
        }
        let calls = (0..50_u64).map(|key| {
            cell.fill(Alike(key), Plain, move || async move {
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(key)
            })
        });
        let values = futures_util::future::join_all(calls).await;
        assert!(values.into_iter().eq((0..50).map(Ok)), "fills of one hash run side by side");
    })
    .await;
}

#[tokio::test]
async fn a_key_in_parts_is_the_key() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let by_parts = |name: &'static str, id: u64| Parts::<(), _>::of((Lent(name), Own(id)));
        let first = cell.fill(by_parts("a", 1), Plain, || async { Ok::<_, Infallible>(1) }).await;
        let second =
            cell.fill(Of::<(), _>::of(("a".to_owned(), 1_u64)), Plain, || async { Ok::<_, Infallible>(2) }).await;
        let third = cell.fill(by_parts("a", 1), Plain, || async { Ok::<_, Infallible>(3) }).await;
        let other = cell.fill(by_parts("a", 2), Plain, || async { Ok::<_, Infallible>(4) }).await;
        assert_eq!([first, second, third, other], [Ok(1), Ok(1), Ok(1), Ok(4)]);
    })
    .await;
}
