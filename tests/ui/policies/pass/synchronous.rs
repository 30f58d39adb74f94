use std::{
    future::{Future, ready},
    pin::Pin,
};

use ddd_core::{Refused, bulkhead, cached, rate_limited, retry};

#[retry(3)]
#[bulkhead(3)]
async fn waits() -> Result<u32, Refused> {
    Ok(1)
}

#[rate_limited(30)]
fn waits_for_its_turn() -> Result<u32, Refused> {
    Ok(1)
}

#[cached]
fn detached() -> u32 {
    1
}

#[retry(3)]
fn returns_a_future() -> impl Future<Output = Result<u32, Refused>> {
    async move { ready(Ok(1)).await }
}

#[retry(3)]
fn returns_a_box() -> Pin<Box<dyn Future<Output = Result<u32, Refused>> + Send>> {
    Box::pin(async move { ready(Ok(1)).await })
}

fn main() {
    let _ = (waits(), waits_for_its_turn(), detached(), returns_a_future(), returns_a_box());
}
