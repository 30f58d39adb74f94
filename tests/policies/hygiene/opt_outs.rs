//! Orders that do harm, where the user says that they are meant; paths other than the bare ones; attributes that are not seen.

use std::sync::atomic::{AtomicU32, Ordering};

use ddd_core::testing::isolated;

use super::support::Error;

static ASKED: AtomicU32 = AtomicU32::new(0);

/// Each attempt asks the cache.
#[ddd_core::retry(2, delay = "1ms", name = "opt_outs.inside_retry")]
#[ddd_core::cached("1m", inside_retry = true)]
async fn cache_inside_retry(id: u32) -> Result<u32, Error> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    if id == 0 { Err(Error::Other("zero")) } else { Ok(id) }
}

/// What the cache answers counts as well.
#[::ddd_core::rate_limited(2, per = "1m", outside_cache = true, name = "opt_outs.outside_cache")]
#[ddd_core::cached("1m")]
async fn limit_outside_cache(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_meant_does_as_it_says() {
    isolated(async {
        assert_eq!(cache_inside_retry(0).await, Err(Error::Other("zero")));
        assert_eq!(ASKED.load(Ordering::Relaxed), 2);
        assert_eq!(limit_outside_cache(1).await, Ok(1));
        assert_eq!(limit_outside_cache(1).await, Ok(1));
        assert!(limit_outside_cache(1).await.is_err());
    })
    .await;
}

/// The facade of somebody who re-exports the library.
mod facade {
    pub(super) mod inner {
        pub(in super::super) use ddd_core::__private;
    }
}

#[ddd_core::timeout("1s", crate = facade::inner)]
#[ddd_core::retry(2, delay = "1ms")]
async fn through_a_facade(id: u32) -> Result<u32, Error> {
    Ok(id)
}

/// Neither a new name nor `cfg_attr` can be seen by the first attribute: then each expands by itself, around what is there.
mod unseen {
    pub(super) use ddd_core::{bulkhead as at_most, retry as again};

    use super::super::support::Error;

    #[again(2, delay = "1ms", name = "opt_outs.renamed")]
    #[at_most(1)]
    #[cfg_attr(test, ddd_core::timeout("1s"))]
    pub(super) async fn renamed(text: String, mut list: Vec<u8>, count: &mut u32) -> Result<String, Error> {
        list.push(1);
        *count += 1;
        if *count < 2 { Err("again")? } else { Ok(text) }
    }
}

/// A function in a function has policies of its own.
#[ddd_core::retry(2, delay = "1ms", name = "opt_outs.outer")]
async fn outer(id: u32) -> Result<u32, Error> {
    #[ddd_core::retry(2, delay = "1ms", name = "opt_outs.inner")]
    async fn inner(id: u32) -> Result<u32, Error> {
        Ok(id + 1)
    }
    inner(id).await
}

macro_rules! limited {
    ($($name:ident: $ty:ty),*) => {
        $(
            #[ddd_core::bulkhead(1)]
            #[ddd_core::retry(2, delay = "1ms")]
            async fn $name(value: $ty) -> Result<$ty, Error> {
                Ok(value)
            }
        )*
    };
}
limited!(of_text: String, of_number: u32);

#[tokio::test(start_paused = true)]
async fn attributes_work_wherever_they_come_from() {
    assert_eq!(through_a_facade(1).await, Ok(1));
    let mut count = 0;
    assert_eq!(unseen::renamed("text".into(), vec![], &mut count).await, Ok("text".into()));
    assert_eq!(count, 2);
    assert_eq!(outer(1).await, Ok(2));
    assert_eq!((of_text("a".into()).await, of_number(1).await), (Ok("a".into()), Ok(1)));
}
