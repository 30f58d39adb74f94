use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry};

#[cached("1h", capacity = 0, refresh_ahead = "1h")]
async fn cache() {}

#[cached("forever", refresh_ahead = "1m")]
async fn cache_for_ever() {}

#[rate_limited(0, burst = 5, queue = -1)]
async fn limit() -> Result<(), Refused> {
    Ok(())
}

#[retry(0, delay = "1m", backoff = 0.5)]
async fn attempts() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(failure_rate = 50, window = 10, min_calls = 20, slow_rate = 0.0, probes = 0)]
async fn breaker() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(0, wait = "1s")]
async fn room() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(1, queue = 5)]
async fn room_to_wait() -> Result<(), Refused> {
    Ok(())
}

fn main() {}
