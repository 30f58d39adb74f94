//! A limit without keys that threads take from, mostly without its lock: together they take all of it and no more.

use std::time::Duration;

use ddd_core::domain::{Exceeded, LimitPlan, Moment, RateLimitedSettings, Strategy};
use loom::{
    model,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use gate::Gate;

#[path = "../../ddd-core/src/application/policies/rate_limited/gate.rs"]
#[allow(dead_code, reason = "not all of it can go wrong between threads")]
mod gate;
#[path = "../../ddd-core/src/application/policies/rate_limited/word.rs"]
mod word;

/// So long that nothing becomes free again meanwhile.
const DAY: Duration = Duration::from_secs(24 * 3_600);

const SLIDING: RateLimitedSettings = RateLimitedSettings::new().per(DAY);
const FIXED: RateLimitedSettings = SLIDING.strategy(Strategy::FixedWindow);
const BUCKET: RateLimitedSettings = SLIDING.strategy(Strategy::TokenBucket);

fn plan(settings: &RateLimitedSettings) -> LimitPlan {
    assert!(settings.problems().is_empty());
    LimitPlan::new(settings)
}

fn now() -> Moment {
    Moment::default().after(Duration::from_secs(1_000_000))
}

/// What threads take from.
trait Takes: Send + Sync + 'static {
    fn take(&self) -> bool;
}

impl Takes for Gate {
    fn take(&self) -> bool {
        self.take(1, now()).is_ok()
    }
}

/// Two threads take twice each, and there is room for three. `used` have been taken before, `meanwhile` the third thread acts.
fn exactly<T: Takes>(room: usize, make: impl Fn() -> T + Sync + Send + 'static, meanwhile: fn(&T)) {
    model(move || {
        let limit = Arc::new(make());
        let taker = {
            let limit = limit.clone();
            thread::spawn(move || (0..2).filter(|_| limit.take()).count())
        };
        let mine = usize::from(limit.take());
        meanwhile(&limit);
        let theirs = taker.join().unwrap();
        let rest = (0..=room).filter(|_| limit.take()).count();
        assert_eq!(mine + theirs + rest, room);
    });
}

/// A gate of this limit with room for so many: the others have been taken.
fn gate(settings: RateLimitedSettings, room: u32) -> impl Fn() -> Gate + Send + Sync + 'static {
    move || {
        let gate = Gate::new(plan(&settings));
        let used = settings.limit - room;
        if used > 0 {
            gate.take(used, now()).unwrap();
        }
        gate
    }
}

#[test]
fn a_lease_is_taken_once() {
    // Above a limit of 64 a sliding window gives leases.
    exactly(2, gate(SLIDING.limit(70), 2), |_| {});
    exactly(2, gate(FIXED.limit(5), 2), |_| {});
}

#[test]
fn a_lease_that_is_called_in_loses_nothing() {
    exactly(3, gate(SLIDING.limit(70), 3), |it| assert!(it.share(now()) <= 1_000));
    exactly(3, gate(FIXED.limit(5), 3), |it| it.adopt(plan(&FIXED.limit(5)), now()));
}

#[test]
fn calls_that_are_remembered_are_counted_once() {
    exactly(2, gate(SLIDING.limit(5), 2), |_| {});
}

#[test]
fn a_bucket_is_emptied_once() {
    exactly(2, gate(BUCKET.limit(5), 2), |_| {});
    exactly(3, gate(BUCKET.limit(5), 3), |it| assert!(it.share(now()) <= 1_000));
}

#[test]
fn a_bucket_that_changes_is_decided_by_one_rule() {
    // Nothing is taken before. Each call is decided by the old bucket of two, or by the new one of one; not by half of each.
    model(|| {
        let gate = Arc::new(Gate::new(plan(&BUCKET.limit(2))));
        assert_eq!(gate.share(now()), 0);
        let taker = {
            let gate = gate.clone();
            thread::spawn(move || (0..2).filter(|_| Takes::take(&*gate)).count())
        };
        gate.adopt(plan(&BUCKET.limit(1)), now());
        let theirs = taker.join().unwrap();
        let rest = (0..2).filter(|_| Takes::take(&*gate)).count();
        assert!((1..=2).contains(&(theirs + rest)), "{theirs} and {rest}");
    });
}

#[test]
fn a_call_is_refused_by_one_rule_as_well() {
    // From one in an hour to one in a month: an hour's bucket could never hold what one call costs by the new rule.
    let month = BUCKET.limit(1).per(30 * DAY);
    model(move || {
        let gate = Arc::new(Gate::new(plan(&BUCKET.limit(24))));
        gate.take(24, now()).unwrap();
        let taker = {
            let gate = gate.clone();
            thread::spawn(move || gate.take(1, now()))
        };
        gate.adopt(plan(&month), now());
        let refused = taker.join().unwrap().unwrap_err();
        assert!(matches!(refused, Exceeded::Until(_)), "{refused:?}");
    });
}

#[test]
fn what_was_taken_by_the_old_rule_is_converted() {
    let fast = BUCKET.limit(1).per(Duration::from_secs(1));
    model(move || {
        let gate = Arc::new(Gate::new(plan(&BUCKET.limit(1))));
        assert_eq!(gate.share(now()), 0);
        let taker = {
            let gate = gate.clone();
            thread::spawn(move || gate.take(1, now()))
        };
        gate.adopt(plan(&fast), now());
        taker.join().unwrap().unwrap();
        assert!(gate.take(1, now().after(Duration::from_secs(2))).is_ok(), "one in a second, not one in a day");
    });
}

/// A version with a gap between looking and writing.
struct Racy(AtomicU64);

impl Takes for Racy {
    fn take(&self) -> bool {
        let left = self.0.load(Ordering::SeqCst);
        if left > 0 {
            self.0.store(left - 1, Ordering::SeqCst);
        }
        left > 0
    }
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn the_model_finds_a_gap_between_looking_and_writing() {
    exactly(2, || Racy(AtomicU64::new(2)), |_| {});
}

/// A version that reads a lease, adds it up and gives out the next one without taking the old one out first.
struct Unsettled {
    lease: AtomicU64,
    kept: loom::sync::Mutex<u64>,
}

impl Takes for Unsettled {
    fn take(&self) -> bool {
        let taken = self.lease.fetch_update(Ordering::AcqRel, Ordering::Acquire, |it| it.checked_sub(1));
        taken.is_ok() || {
            let mut kept = self.kept.lock().unwrap();
            let left = self.lease.load(Ordering::Acquire) + *kept;
            *kept = left.saturating_sub(1);
            self.lease.store(0, Ordering::Release);
            left > 0
        }
    }
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn the_model_finds_a_lease_that_is_not_taken_out() {
    let make = || Unsettled { lease: AtomicU64::new(2), kept: loom::sync::Mutex::new(0) };
    exactly(2, make, |it| {
        // Calls the lease in, as figures and changes do.
        let mut kept = it.kept.lock().unwrap();
        *kept += it.lease.load(Ordering::Acquire);
        it.lease.store(0, Ordering::Release);
    });
}
