use std::{
    future::{Future, Ready, ready},
    pin::Pin,
};

use ddd_core::{Refused, cached, rate_limited, retry};

#[retry(3)]
#[ddd_core::bulkhead(3)]
fn waits() -> Result<u32, Refused> {
    Ok(1)
}

#[rate_limited(30, wait = "1s", scope = "shared")]
fn waits_for_its_turn() -> Result<u32, Refused> {
    Ok(1)
}

#[cached(detached = true)]
fn detached() -> u32 {
    1
}

#[retry(3)]
fn returns_a_future() -> impl Future<Output = Result<u32, Refused>> {
    let future: Ready<Result<u32, Refused>> = ready(Ok(1));
    future
}

#[retry(3)]
fn returns_a_box() -> Pin<Box<dyn Future<Output = Result<u32, Refused>> + Send>> {
    let boxed = Box::pin(ready(Ok(1)));
    boxed
}

fn main() {}
