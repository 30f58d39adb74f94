//! Retries of a call that does not fail.

use std::{hint::black_box, io, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use ddd_core::retry;

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[Group { name: "retry/no_failure", contenders: no_failure }];

async fn bare(number: u64) -> io::Result<u64> {
    Ok(black_box(number))
}

#[retry(3)]
async fn ours(number: u64) -> io::Result<u64> {
    Ok(black_box(number))
}

fn no_failure() -> Vec<Contender> {
    let backoff = ExponentialBuilder::default().with_max_times(2).with_min_delay(Duration::from_secs(1));
    vec![
        Contender::new("ours", ours),
        Contender::new("bare", bare),
        Contender::new("backon", move |it| async move { (|| bare(it)).retry(backoff).await }),
        Contender::new("backon_jitter", move |it| {
            let backoff = backoff.with_jitter();
            async move { (|| bare(it)).retry(backoff).await }
        }),
    ]
}
