//! Under strict lints, among names that shadow the prelude: what is generated is silent, and means what it says.

/// Every name of the prelude that an expansion could lean on means something else here.
#[deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    let_underscore_drop,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
#[allow(dead_code, non_camel_case_types, clippy::unused_async, clippy::redundant_pub_crate, reason = "the cases")]
pub(crate) mod shadowed {
    use ::ddd_core::{bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

    type Result = u8;
    type Option = u8;
    type Box = u8;
    type String = u8;
    type Send = u8;
    type Clone = u8;
    type ToOwned = u8;
    type Into = u8;
    type Future = u8;
    type Hash = u8;
    mod core {}
    mod std {}
    mod inventory {}
    mod ddd_core {}
    #[allow(unused_macros, reason = "there to be in the way")]
    macro_rules! concat {
        () => {};
    }
    #[allow(unused_macros, reason = "there to be in the way")]
    macro_rules! module_path {
        () => {};
    }

    /// A function with all policies.
    ///
    /// # Errors
    /// It is refused.
    #[cached("1m", key = (a, b, c, e.to_owned()), tti = "30s", negative_ttl = "1s", capacity = 10, refresh_ahead = "10s", stale_on_error = "1m")]
    #[rate_limited(1_000, per = "1s", and(10_000, per = "1m"), wait = "1ms")]
    #[circuit_breaker(failure_rate = 0.5, window = 10, min_calls = 5, slow_call = "1s", open_for = "1s", probes = 1)]
    #[retry(2, delay = "1ms", backoff = 1.5, max_delay = "2ms", jitter = false, max_elapsed = "1s", budget = "lints")]
    #[bulkhead(10, queue = 5, wait = "1ms")]
    #[timeout("1s", name = "lints.timeout")]
    pub(crate) async fn everything(
        a: Result,
        mut b: Option,
        (c, _d): (Box, String),
        e: &::core::primitive::str,
    ) -> ::core::result::Result<u8, ::ddd_core::Refused>
    where
        u8: Sized,
    {
        b += 1;
        Ok(a + b + c + u8::try_from(e.len()).unwrap_or_default())
    }

    /// One without a value.
    #[cached]
    pub(crate) async fn nothing(a: u8) {
        let _ = a;
    }

    /// One that is not async.
    ///
    /// # Errors
    /// It is refused.
    #[cached("1m")]
    #[rate_limited(100)]
    pub(crate) fn synchronous(a: u8) -> ::core::result::Result<u8, ::ddd_core::Refused> {
        Ok(a)
    }

    /// A thing.
    #[derive(Debug)]
    pub(crate) struct Thing;

    impl Thing {
        /// A method with a handle.
        #[cached("1m", key = a, handle = Self::METHOD: u8)]
        pub(crate) async fn method(&self, a: u8) -> u8 {
            a
        }

        /// A method that is retried.
        ///
        /// # Errors
        /// It fails.
        #[must_use = "as the user says"]
        #[inline]
        #[retry(2, delay = "1ms", when = |_| false)]
        pub(crate) async fn retried(&mut self, mut a: u8) -> u8 {
            a += 1;
            a
        }
    }

    /// A trait.
    pub(crate) trait Trait {
        /// A method.
        fn provided(&self, a: u8) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send
        where
            Self: Sync,
        {
            #[cached]
            async fn inner(a: u8) -> u8 {
                a
            }
            inner(a)
        }
    }

    const __POLICY_0: u8 = 1;
    const _: u8 = __POLICY_0;
}

/// An attribute beside ours, and a `cfg` that holds, stay; one that does not hold takes the policies with it.
mod attributes {
    use ddd_core::{retry, timeout};

    #[retry(2, delay = "1ms")]
    #[cfg(not(test))]
    #[timeout("1s")]
    async fn absent() -> NoSuchType {}

    #[cfg(test)]
    #[retry(2, delay = "1ms")]
    #[deprecated(note = "to see that it stays")]
    #[timeout("1s")]
    pub(super) async fn present() -> Result<u8, ddd_core::Refused> {
        Ok(1)
    }
}

#[tokio::test]
async fn what_is_generated_is_silent_and_works() {
    assert_eq!(shadowed::everything(1, 2, (3, 4), "five").await.unwrap(), 11);
    shadowed::nothing(1).await;
    assert_eq!(shadowed::synchronous(1).unwrap(), 1);
    assert_eq!(shadowed::Thing.method(1).await, 1);
    assert_eq!(shadowed::Thing.retried(1).await, 2);
    #[expect(deprecated, reason = "that it says so is the test")]
    let present = attributes::present();
    assert_eq!(present.await.unwrap(), 1);
    let names: Vec<_> = ddd_core::policies().list().into_iter().map(|it| it.function).collect();
    assert!(names.iter().any(|it| it.ends_with("attributes::present")), "{names:?}");
    assert!(!names.iter().any(|it| it.ends_with("attributes::absent")), "{names:?}");
}
