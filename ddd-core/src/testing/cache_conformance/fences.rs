//! What is not stored, because something was invalidated meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::kit::{CacheStoreUnderTest, SECOND, key, tag, write};
use crate::ports::{CacheTarget, CacheTicket, CacheWritten};

/// What a fill made that began before an invalidation of its key, of one of its tags or of all is not stored; one that began
/// after it is.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_fill_that_began_before_an_invalidation_is_not_stored(it: CacheStoreUnderTest) {
    let cases = [
        (key("key"), CacheWritten::Outdated),
        (tag("tag"), CacheWritten::Outdated),
        (CacheTarget::All, CacheWritten::Outdated),
        (key("another"), CacheWritten::Stored),
        (tag("another"), CacheWritten::Stored),
    ];
    for (target, expected) in cases {
        for seconds in [0, 1, 600] {
            let before = it.get("policy", "key").await.ticket;
            it.invalidate("policy", target.clone()).await;
            (it.advance)(seconds * SECOND);
            let fill = write("policy", "key", &["first", "tag"], b"made");
            assert_eq!(it.put(fill.clone().filled(before)).await, expected, "{target:?} after {seconds} s");
            let is_there = it.found("policy", "key").await.is_some();
            assert_eq!(is_there, expected == CacheWritten::Stored, "{target:?} after {seconds} s");
            let after = it.get("policy", "key").await.ticket;
            assert_eq!(it.put(fill.filled(after)).await, CacheWritten::Stored, "{target:?}");
            it.invalidate("policy", CacheTarget::All).await;
        }
    }
}

/// A store that lost what it knew takes no ticket from before for good.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_ticket_that_was_never_given_is_outdated(it: CacheStoreUnderTest) {
    let CacheTicket { sequence, millis } = it.get("policy", "key").await.ticket;
    let later = CacheTicket::new(sequence + 1_000, millis);
    assert_eq!(it.put(write("policy", "key", &[], b"value").filled(later)).await, CacheWritten::Outdated);
    assert!(it.found("policy", "key").await.is_none());
}

/// A write without a ticket stays, whatever is being filled: it is an invalidation as well.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_value_that_holds_from_now_on_replaces_and_fences(it: CacheStoreUnderTest) {
    let before = it.get("policy", "key").await.ticket;
    let other = it.get("policy", "other").await.ticket;
    assert_eq!(it.put(write("policy", "key", &["tag"], b"by hand")).await, CacheWritten::Stored);
    assert_eq!(it.put(write("policy", "key", &[], b"filled").filled(before)).await, CacheWritten::Outdated);
    assert_eq!(it.found("policy", "key").await.as_deref(), Some(b"by hand".as_slice()));
    assert_eq!(it.put(write("policy", "other", &[], b"filled").filled(other)).await, CacheWritten::Stored);
    it.invalidate("policy", tag("tag")).await;
    assert_eq!(it.found("policy", "key").await, None);
}

/// Fills and invalidations of one key at the same time, from two processes: nothing is found that was made from what there was
/// before an invalidation that is over.
///
/// # Panics
/// The store breaks the rule.
pub async fn racing_fills_store_nothing_from_before_an_invalidation(it: CacheStoreUnderTest) {
    // What fills read: its changes are followed by invalidations.
    let source = Arc::new(AtomicU64::new(0));
    let fillers = (0..4).map(|filler| {
        let (it, source) = (it.clone(), source.clone());
        tokio::spawn(async move {
            for _ in 0..50 {
                let ticket = it.get("policy", "key").await.ticket;
                let value = source.load(Ordering::SeqCst).to_le_bytes();
                for _ in 0..filler {
                    tokio::task::yield_now().await;
                }
                it.put(write("policy", "key", &["tag"], &value).filled(ticket)).await;
            }
        })
    });
    let fillers: Vec<_> = fillers.collect();
    for round in 1..=50_u64 {
        source.store(round, Ordering::SeqCst);
        let target = [key("key"), tag("tag"), CacheTarget::All][round as usize % 3].clone();
        it.invalidate("policy", target).await;
        if let Some(found) = it.found("policy", "key").await {
            let value = u64::from_le_bytes(found.try_into().expect("eight bytes"));
            assert!(value >= round, "round {round}: {value} is from before the invalidation");
        }
        tokio::task::yield_now().await;
    }
    for filler in fillers {
        filler.await.expect("it ends");
    }
}
