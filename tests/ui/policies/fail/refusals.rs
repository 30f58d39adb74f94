use ddd_core::{bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[derive(Debug)]
struct MyError;

#[rate_limited(30)]
async fn plain() -> u32 {
    1
}

#[timeout("1s")]
async fn nothing() {}

#[bulkhead(3)]
async fn optional() -> Option<u32> {
    Some(1)
}

#[cached("1h")]
#[retry(3)]
#[circuit_breaker]
async fn error_of_mine() -> Result<u32, MyError> {
    Ok(1)
}

fn main() {}
