//! Retries of a call that does not fail.

use std::{hint::black_box, time::Duration};

use backon::{ExponentialBuilder, Retryable};

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[Group { name: "retry/no_failure", contenders: no_failure }];

async fn body(number: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(number))
}

fn no_failure() -> Vec<Contender> {
    let backoff = ExponentialBuilder::default().with_jitter().with_max_times(2).with_min_delay(Duration::from_secs(1));
    vec![
        Contender::new("bare", body),
        Contender::new("backon", move |it| async move { (|| body(it)).retry(backoff).await }),
    ]
}
