use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[cached(ttl = "60s")]
async fn seconds() -> u32 {
    1
}

#[cached("1h", capacity = 1_000)]
async fn capacity() -> u32 {
    1
}

#[rate_limited(30, per = "1m")]
async fn period() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, per = "60s")]
async fn period_in_seconds() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(limit = 30)]
async fn quoted() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, and(500, per = "1h"))]
async fn further() -> Result<(), Refused> {
    Ok(())
}

#[retry(3, delay = "200ms", backoff = 1.5)]
async fn delay() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = 100, open_for = "30s")]
async fn circuit() -> Result<(), Refused> {
    Ok(())
}

#[timeout(duration = "2s")]
async fn deadline() -> Result<(), Refused> {
    Ok(())
}

#[timeout("2s")]
async fn anything() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(10, queue = 100, wait = "1s")]
async fn queue() -> Result<(), Refused> {
    Ok(())
}

fn main() {
    let _ = (seconds(), capacity(), period(), period_in_seconds(), quoted(), further());
    let _ = (delay(), circuit(), deadline(), anything(), queue());
}
