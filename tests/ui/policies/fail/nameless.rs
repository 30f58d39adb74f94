use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[cached(60)]
async fn seconds() -> u32 {
    1
}

#[cached("1h", 1_000)]
async fn capacity() -> u32 {
    1
}

#[rate_limited(30, "1m")]
async fn period() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, 60)]
async fn period_in_seconds() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited("30")]
async fn quoted() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, and(500, "1h"))]
async fn further() -> Result<(), Refused> {
    Ok(())
}

#[retry(3, "200ms", 1.5)]
async fn delay() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(0.5, 100, "30s")]
async fn circuit() -> Result<(), Refused> {
    Ok(())
}

#[timeout(2)]
async fn deadline() -> Result<(), Refused> {
    Ok(())
}

#[timeout("2s", true)]
async fn anything() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(10, 100, "1s")]
async fn queue() -> Result<(), Refused> {
    Ok(())
}

fn main() {}
