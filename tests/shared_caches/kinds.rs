//! Functions of all kinds, and what their keys and values may be.

use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ddd_core::cached;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::time::advance;

use crate::support::{MINUTE, Source, store, two};

#[cached("1h", negative_ttl = "5m", key = id, name = "found", scope = "shared")]
async fn found(id: u64, source: Arc<Source>) -> Option<u64> {
    Some(source.read().await.unwrap()).filter(|it| *it > 0)
}

#[tokio::test(start_paused = true)]
async fn that_there_is_none_is_shared_for_its_own_time() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    assert_eq!(a.run(found(1, source.clone())).await, None);
    source.set(1);
    assert_eq!(b.run(found(1, source.clone())).await, None);
    assert_eq!(source.runs(), 1);
    advance(6 * MINUTE).await;
    assert_eq!(b.run(found(1, source.clone())).await, Some(1));
    assert_eq!(a.run(found(1, source.clone())).await, Some(1));
    assert_eq!(source.runs(), 2);
}

#[cached(scope = "shared", name = "joined")]
async fn joined(text: &str, more: String, number: u8) -> String {
    format!("{text}{more}{number}")
}

#[tokio::test(start_paused = true)]
async fn arguments_are_keys_that_do_not_meet() {
    let (a, b) = two(&store()).await;
    for process in [&a, &b] {
        assert_eq!(process.run(joined("a", "bc".to_owned(), 1)).await, "abc1");
        assert_eq!(process.run(joined("ab", "c".to_owned(), 1)).await, "abc1");
        assert_eq!(process.run(joined("ab", "c".to_owned(), 2)).await, "abc2");
    }
    assert_eq!((a.shared("joined").await, b.shared("joined").await), ((0, 3, 0), (3, 0, 0)));
}

struct Tenant(u64);

impl Tenant {
    #[cached(key = (self.0, id), name = "of_tenant", scope = "shared", store_if = |it| *it > 0, weigh = |_| 2,
        handle = Self::VALUES: (u64, u64))]
    async fn value(&self, id: u64, source: &Source) -> u64 {
        self.0 * 100 + id + source.read().await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn methods_have_them_too() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    for process in [&a, &b] {
        assert_eq!(process.run(Tenant(1).value(2, &source)).await, 102);
        assert_eq!(process.run(Tenant(2).value(1, &source)).await, 201);
        assert_eq!(process.run(Tenant(0).value(0, &source)).await, 0, "not stored: `store_if`");
    }
    assert_eq!(source.runs(), 4);
    assert_eq!(b.run(Tenant::VALUES.get(&(1, 2))).await, Some(102));
    a.run(Tenant::VALUES.invalidate(&(1, 2))).await;
    assert_eq!(b.run(Tenant::VALUES.get(&(1, 2))).await, None);
}

trait Shown: Send + 'static {
    const TEXT: &'static str;
}
impl Shown for u8 {
    const TEXT: &'static str = "a byte";
}
impl Shown for Vec<u8> {
    const TEXT: &'static str = "bytes";
}

#[cached(key = id, name = "shown", scope = "shared")]
async fn shown<T: Shown>(id: u64, of: PhantomData<fn() -> T>) -> String {
    let _: PhantomData<fn() -> T> = of;
    format!("{} {id}", T::TEXT)
}

#[tokio::test(start_paused = true)]
async fn a_generic_function_has_entries_for_each_of_its_types() {
    let (a, b) = two(&store()).await;
    for process in [&a, &b] {
        assert_eq!(process.run(shown::<u8>(1, PhantomData)).await, "a byte 1");
        assert_eq!(process.run(shown::<Vec<u8>>(1, PhantomData)).await, "bytes 1");
    }
    assert_eq!(b.shared("shown").await, (2, 0, 0));
}

/// A key whose JSON leaves something out that matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct Half {
    id: u64,
    #[serde(skip)]
    is_admin: bool,
}

#[cached(key = half.clone(), name = "of_half", scope = "shared")]
async fn of_half(half: Half) -> String {
    format!("{half:?}")
}

#[tokio::test(start_paused = true)]
async fn keys_of_one_json_are_not_taken_for_each_other() {
    let (a, b) = two(&store()).await;
    let (admin, user) = (Half { id: 1, is_admin: true }, Half { id: 1, is_admin: false });
    assert_eq!(a.run(of_half(admin.clone())).await, format!("{admin:?}"));
    assert_eq!(b.run(of_half(user.clone())).await, format!("{user:?}"));
    assert_eq!(b.run(of_half(admin.clone())).await, format!("{admin:?}"));
}

/// A value that refuses, or panics, to be written or read.
#[derive(Clone, Debug, PartialEq)]
struct Stubborn(u64);

static PANICS: AtomicBool = AtomicBool::new(false);

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!PANICS.load(Ordering::SeqCst), "to be written");
        if self.0 == 0 { Err(serde::ser::Error::custom("zero")) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(!PANICS.load(Ordering::SeqCst), "to be read");
        match u64::deserialize(deserializer)? {
            1 => Err(serde::de::Error::custom("one")),
            it => Ok(Self(it)),
        }
    }
}

#[cached(key = id, name = "stubborn", scope = "shared")]
async fn stubborn(id: u64, source: Arc<Source>) -> Stubborn {
    Stubborn(id + source.read().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn values_that_cannot_be_written_or_read_are_for_their_process_alone() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    for id in 0..3 {
        for process in [&a, &b] {
            assert_eq!(process.run(stubborn(id, source.clone())).await, Stubborn(id));
            assert_eq!(process.run(stubborn(id, source.clone())).await, Stubborn(id), "its own copy");
        }
    }
    assert_eq!(source.runs(), 5, "zero and one are made by each");
    assert_eq!((a.shared("stubborn").await.2, b.shared("stubborn").await.2), (1, 2));
    PANICS.store(true, Ordering::SeqCst);
    for process in [&a, &b] {
        assert_eq!(process.run(stubborn(7, source.clone())).await, Stubborn(7));
    }
    assert_eq!(source.runs(), 7);
    let c = crate::support::Process::over(store).await;
    assert_eq!(c.run(stubborn(2, source.clone())).await, Stubborn(2));
    assert_eq!(source.runs(), 8);
}
