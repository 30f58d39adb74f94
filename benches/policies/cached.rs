//! Hits and misses of a cache.

use std::{
    array,
    convert::Infallible,
    hash::Hash,
    hint::black_box,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cached::macros::concurrent_cached;
use ddd_core::__private::{
    Site,
    policies::{CacheRules, CachedCell, CachedSettings, Lent, Parts, Stored},
};
use futures_util::FutureExt;
use moka::future::Cache;

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[
    Group { name: "cached/hit_spread", contenders: spread },
    Group { name: "cached/hit_one_key", contenders: one_key },
    Group { name: "cached/hit_string", contenders: strings },
    Group { name: "cached/hit_64_bytes", contenders: wide },
    Group { name: "cached/miss", contenders: miss },
];

/// How many keys take turns.
const KEYS: u64 = 1_024;

const TTL: Duration = Duration::from_secs(3_600);

/// Eight times eight bytes.
type Wide = [u64; 8];

struct Plain;

impl<R: Clone> CacheRules<R> for Plain {
    fn is_stored(&self, _value: &R) -> Stored {
        Stored::Positive
    }

    fn share(&self, value: &R) -> Option<R> {
        Some(value.clone())
    }
}

macro_rules! cell {
    () => {{
        static CELL: CachedCell = CachedCell::new(Site::new("bench", file!(), line!(), 0), CachedSettings::new());
        &CELL
    }};
}

static TEXTS: LazyLock<[String; KEYS as usize]> =
    LazyLock::new(|| array::from_fn(|it| format!("customer-profile-{it:07}")));

fn text(number: u64) -> &'static str {
    &TEXTS[(number % KEYS) as usize]
}

async fn body(key: u64) -> Result<u64, Infallible> {
    Ok(black_box(key))
}

async fn ours(cell: &'static CachedCell, key: u64) -> u64 {
    let Ok(value) = cell.fill_detached(key, Plain, move || body(key)).await;
    value
}

/// As generated code: the key is made of what is borrowed only if there is no value of it.
async fn ours_by_text(cell: &'static CachedCell, key: &'static str) -> u64 {
    let parts = Parts::<(), _>::of(Lent(key));
    let Ok(value) = cell.fill_detached(parts, Plain, move || body(key.len() as u64)).await;
    value
}

async fn ours_wide(cell: &'static CachedCell, key: u64) -> Wide {
    let make = move || async move { Ok::<Wide, Infallible>(black_box([key; 8])) };
    let Ok(value) = cell.fill_detached(key, Plain, make).await;
    value
}

#[concurrent_cached(ttl_secs = 3_600)]
async fn theirs(key: u64) -> u64 {
    black_box(key)
}

#[concurrent_cached(ttl_secs = 3_600)]
async fn theirs_by_text(key: &str) -> u64 {
    black_box(key.len() as u64)
}

#[concurrent_cached(ttl_secs = 3_600)]
async fn theirs_wide(key: u64) -> Wide {
    black_box([key; 8])
}

fn moka<K, V>() -> &'static Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    // For as long as the process: a cache in a static, as users of it have it.
    Box::leak(Box::new(Cache::builder().max_capacity(10_000).time_to_live(TTL).build()))
}

fn filled<K, V>(entries: impl Iterator<Item = (K, V)>) -> &'static Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let cache = moka();
    entries.for_each(|(key, value)| cache.insert(key, value).now_or_never().expect("an insertion does not wait"));
    cache
}

fn spread() -> Vec<Contender> {
    let cell = cell!();
    let cache = filled((0..KEYS).map(|it| (it, it)));
    vec![
        Contender::new("ours", move |it| ours(cell, it % KEYS)),
        Contender::new("cached_concurrent", |it| theirs(it % KEYS)),
        Contender::new("moka_get", move |it| async move { cache.get(&(it % KEYS)).await }),
    ]
}

fn one_key() -> Vec<Contender> {
    let cell = cell!();
    let cache = filled((0..KEYS).map(|it| (it, it)));
    vec![
        Contender::new("ours", move |_| ours(cell, 7)),
        Contender::new("cached_concurrent", |_| theirs(7)),
        Contender::new("moka_get", move |_| async move { cache.get(&7).await }),
    ]
}

fn strings() -> Vec<Contender> {
    let cell = cell!();
    let cache = filled((0..KEYS).map(|it| (text(it).to_owned(), it)));
    vec![
        Contender::new("ours", move |it| ours_by_text(cell, text(it))),
        Contender::new("cached_concurrent", |it| theirs_by_text(text(it))),
        Contender::new("moka_get", move |it| async move { cache.get(text(it)).await }),
    ]
}

fn wide() -> Vec<Contender> {
    let cell = cell!();
    let cache = filled((0..KEYS).map(|it| (it, [it; 8])));
    vec![
        Contender::new("ours", move |it| ours_wide(cell, it % KEYS)),
        Contender::new("cached_concurrent", |it| theirs_wide(it % KEYS)),
        Contender::new("moka_get", move |it| async move { cache.get(&(it % KEYS)).await }),
    ]
}

/// Keys that nobody asked for before.
fn miss() -> Vec<Contender> {
    static NEW: AtomicU64 = AtomicU64::new(0);
    let new = || NEW.fetch_add(1, Ordering::Relaxed);
    let cell = cell!();
    let cache = moka();
    vec![
        Contender::new("ours", move |_| ours(cell, new())),
        Contender::new("moka_try_get_with", move |_| async move {
            let key = new();
            cache.try_get_with(key, body(key)).await
        }),
    ]
}
