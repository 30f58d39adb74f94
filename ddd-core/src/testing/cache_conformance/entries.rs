//! What is stored, and for how long.

use std::time::Duration;

use super::kit::{CacheStoreUnderTest, SECOND, key, tag, write};
use crate::ports::{CacheAddress, CacheAnswer, CacheTarget, CacheWritten};

/// What was put is found as it is, with its age by the store's clock.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_is_put_is_found_with_its_age(it: CacheStoreUnderTest) {
    assert_eq!(it.found("policy", "key").await, None);
    let bytes: Vec<u8> = (0..=255).collect();
    it.fill("policy", "key", &[], &bytes).await;
    let age = |it: CacheAnswer| it.found.expect("it is there").age;
    assert!(age(it.get("policy", "key").await) < SECOND);
    (it.advance)(5 * SECOND);
    let found = it.get("policy", "key").await;
    assert_eq!(found.found.as_ref().map(|it| it.envelope.to_vec()), Some(bytes));
    let old = age(found);
    assert!((5 * SECOND..6 * SECOND).contains(&old), "{old:?}");
    it.fill("policy", "key", &[], b"new").await;
    assert!(age(it.get("policy", "key").await) < SECOND, "another write begins anew");
}

/// An entry that is kept for a time is there before its end, and not after it.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_is_kept_for_a_time_is_gone_after_it(it: CacheStoreUnderTest) {
    for (key, keep_for) in [("short", Some(2 * SECOND)), ("long", Some(4 * SECOND)), ("for ever", None)] {
        let ticket = it.get("policy", key).await.ticket;
        it.put(write("policy", key, &[], b"value").keep_for(keep_for).filled(ticket)).await;
    }
    let mut there = Vec::new();
    for _ in 0..3 {
        let mut count = 0;
        for key in ["short", "long", "for ever"] {
            count += u8::from(it.found("policy", key).await.is_some());
        }
        there.push(count);
        (it.advance)(Duration::from_millis(2_500));
    }
    assert_eq!(there, [3, 2, 1]);
}

/// Each policy and key has an entry of its own.
///
/// # Panics
/// The store breaks the rule.
pub async fn policies_and_keys_are_apart(it: CacheStoreUnderTest) {
    let all = [("a", "1"), ("a", "2"), ("b", "1"), ("a:1", ""), ("a", ":1"), ("a", "\"ä\u{0}\n{}[1]\""), ("", "")];
    for (index, (policy, key)) in all.iter().enumerate() {
        it.fill(policy, key, &[], &[index as u8]).await;
    }
    for (index, (policy, key)) in all.iter().enumerate() {
        assert_eq!(it.found(policy, key).await, Some(vec![index as u8]), "{policy:?} {key:?}");
    }
}

/// The items of one call are answered in their order, each for itself.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_batch_is_answered_in_order(it: CacheStoreUnderTest) {
    let old = it.get("policy", "a").await.ticket;
    it.invalidate("policy", key("b")).await;
    let writes = ["a", "b", "c"].map(|key| write("policy", key, &[], key.as_bytes()).filled(old));
    let written = it.store.put(writes.into()).await.expect("the store answers");
    assert_eq!(written, [CacheWritten::Stored, CacheWritten::Outdated, CacheWritten::Stored]);
    let addresses = ["c", "b", "a", "a"].map(|key| CacheAddress::new("policy", key));
    let answers = it.store.get(addresses.into()).await.expect("the store answers");
    let found: Vec<_> = answers.into_iter().map(|it| it.found.map(|it| it.envelope[0])).collect();
    assert_eq!(found, [Some(b'c'), None, Some(b'a'), Some(b'a')]);
    assert!(it.store.get(Vec::new()).await.expect("the store answers").is_empty());
    assert!(it.store.put(Vec::new()).await.expect("the store answers").is_empty());
    it.store.invalidate(Vec::new()).await.expect("the store answers");
}

/// An invalidation of a key, a tag or all of a policy holds for all that it means, and for nothing else.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_was_invalidated_is_gone_and_nothing_else(it: CacheStoreUnderTest) {
    for (target, gone) in [(key("1"), "a1"), (tag("odd"), "a1 a3"), (tag("none"), ""), (CacheTarget::All, "a1 a2 a3")] {
        for policy in ["a", "b"] {
            it.fill(policy, "1", &["odd", "small"], b"1").await;
            it.fill(policy, "2", &[], b"2").await;
            it.fill(policy, "3", &["odd"], b"3").await;
        }
        it.invalidate("a", target.clone()).await;
        let mut missing = Vec::new();
        for policy in ["a", "b"] {
            for key in ["1", "2", "3"] {
                if it.found(policy, key).await.is_none() {
                    missing.push(format!("{policy}{key}"));
                }
            }
        }
        assert_eq!(missing.join(" "), gone, "{target:?}");
    }
}

/// A write takes the tags away that an earlier one gave.
///
/// # Panics
/// The store breaks the rule.
pub async fn an_entry_has_the_tags_of_its_last_write(it: CacheStoreUnderTest) {
    it.fill("policy", "key", &["old"], b"1").await;
    it.fill("policy", "key", &["new"], b"2").await;
    it.invalidate("policy", tag("old")).await;
    assert!(it.found("policy", "key").await.is_some());
    it.invalidate("policy", tag("new")).await;
    assert!(it.found("policy", "key").await.is_none());
}
