//! Retries of a call that does not fail.

use std::{hint::black_box, io, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use ddd_core::__private::{
    Site,
    policies::{Attempt, Next, RetryCell, RetrySettings},
};

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[Group { name: "retry/no_failure", contenders: no_failure }];

async fn body(number: u64) -> io::Result<u64> {
    Ok(black_box(number))
}

async fn ours(number: u64) -> io::Result<u64> {
    static CELL: RetryCell = RetryCell::new(Site::new("ours", file!(), line!(), 0), RetrySettings::new());
    let mut attempts = CELL.start();
    loop {
        let out = body(number).await;
        let ended = if out.is_ok() { Attempt::Done } else { Attempt::Failed { retry_after: None } };
        match attempts.after(ended) {
            Next::Done => break out,
            Next::After(pause) => pause.await,
        }
    }
}

fn no_failure() -> Vec<Contender> {
    let backoff = ExponentialBuilder::default().with_max_times(2).with_min_delay(Duration::from_secs(1));
    vec![
        Contender::new("ours", ours),
        Contender::new("bare", body),
        Contender::new("backon", move |it| async move { (|| body(it)).retry(backoff).await }),
        Contender::new("backon_jitter", move |it| {
            let backoff = backoff.with_jitter();
            async move { (|| body(it)).retry(backoff).await }
        }),
    ]
}
