//! Rate limits, bulkheads and timeouts of calls that pass, beside their peers.

use std::{hint::black_box, num::NonZeroU32, sync::Arc, time::Duration};

use ddd_core::__private::{
    Site,
    policies::{
        BulkheadCell, BulkheadSettings, RateLimitedCell, RateLimitedSettings, Strategy, TimeoutCell, TimeoutSettings,
    },
};
use governor::{Quota, RateLimiter, clock::MonotonicClock};
use tokio::{sync::Semaphore, time::timeout};

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[
    Group { name: "rate_limited/passes", contenders: passes },
    Group { name: "rate_limited/passes_bucket", contenders: passes_bucket },
    Group { name: "rate_limited/refused", contenders: refused },
    Group { name: "rate_limited/keyed", contenders: keyed },
    Group { name: "rate_limited/keyed_bucket", contenders: keyed_bucket },
    Group { name: "rate_limited/keyed_text", contenders: keyed_text },
    Group { name: "rate_limited/one_key", contenders: one_key },
    Group { name: "bulkhead/passes", contenders: bulkhead },
    Group { name: "timeout/in_time", contenders: in_time },
];

const SECOND: Duration = Duration::from_secs(1);
const PLENTY: u32 = 1_000_000_000;
/// As many keys as the research measured with.
const KEYS: u64 = 1_024;
const SITE: Site = Site::new("bench", file!(), line!(), 0);
const WINDOW: RateLimitedSettings = RateLimitedSettings::new().limit(PLENTY).per(SECOND);
const BUCKET: RateLimitedSettings = WINDOW.strategy(Strategy::TokenBucket);

/// A limit that everything passes.
fn quota() -> Quota {
    Quota::per_second(NonZeroU32::MAX)
}

fn ours(cell: &'static RateLimitedCell) -> Contender {
    Contender::blocking("ours", move |_| cell.try_admit((), 1).is_ok())
}

fn governor_direct() -> Contender {
    let limiter = RateLimiter::direct_with_clock(quota(), MonotonicClock);
    Contender::blocking("governor", move |_| limiter.check().is_ok())
}

fn passes() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, WINDOW);
    vec![ours(&CELL), governor_direct()]
}

fn passes_bucket() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, BUCKET);
    vec![ours(&CELL), governor_direct()]
}

fn refused() -> Vec<Contender> {
    static CELL: RateLimitedCell =
        RateLimitedCell::new(SITE, RateLimitedSettings::new().limit(1).per(Duration::from_secs(100_000)));
    let quota = Quota::with_period(Duration::from_secs(100_000)).expect("a quota");
    let limiter = RateLimiter::direct_with_clock(quota, MonotonicClock);
    vec![ours(&CELL), Contender::blocking("governor", move |_| limiter.check().is_ok())]
}

fn governor_keyed() -> Contender {
    let limiter = RateLimiter::<u64, _, _>::dashmap_with_clock(quota(), MonotonicClock);
    Contender::blocking("governor", move |it| limiter.check_key(&(it % KEYS)).is_ok())
}

fn keyed() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, WINDOW);
    vec![Contender::blocking("ours", |it| CELL.try_admit(it % KEYS, 1).is_ok()), governor_keyed()]
}

fn keyed_bucket() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, BUCKET);
    vec![Contender::blocking("ours", |it| CELL.try_admit(it % KEYS, 1).is_ok()), governor_keyed()]
}

fn keyed_text() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, BUCKET);
    let keys: Arc<[String]> = (0..KEYS).map(|it| format!("user-{it:08}-of-a-tenant")).collect();
    let limiter = RateLimiter::<String, _, _>::dashmap_with_clock(quota(), MonotonicClock);
    let same = keys.clone();
    vec![
        Contender::blocking("ours", move |it| CELL.try_admit(keys[(it % KEYS) as usize].as_str(), 1).is_ok()),
        Contender::blocking("governor", move |it| limiter.check_key(&same[(it % KEYS) as usize]).is_ok()),
    ]
}

fn one_key() -> Vec<Contender> {
    static CELL: RateLimitedCell = RateLimitedCell::new(SITE, BUCKET);
    let limiter = RateLimiter::<u64, _, _>::dashmap_with_clock(quota(), MonotonicClock);
    vec![
        Contender::blocking("ours", |_| CELL.try_admit(7_u64, 1).is_ok()),
        Contender::blocking("governor", move |_| limiter.check_key(&7).is_ok()),
    ]
}

fn bulkhead() -> Vec<Contender> {
    static CELL: BulkheadCell = BulkheadCell::new(SITE, BulkheadSettings::new(10));
    let semaphore = Arc::new(Semaphore::new(10));
    vec![
        Contender::new("ours", |it| async move { CELL.enter().await.map(|_permit| black_box(it)).is_ok() }),
        Contender::new("tokio_semaphore", move |it| {
            let semaphore = semaphore.clone();
            async move { semaphore.acquire().await.map(|_permit| black_box(it)).is_ok() }
        }),
    ]
}

fn in_time() -> Vec<Contender> {
    static CELL: TimeoutCell = TimeoutCell::new(SITE, TimeoutSettings::new(SECOND));
    vec![
        Contender::new("ours", |it| CELL.within(async move { Ok(black_box(it)) })),
        Contender::new("tokio_timeout", |it| timeout(SECOND, async move { black_box(it) })),
    ]
}
