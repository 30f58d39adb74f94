use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry};

#[cached("1h", capacity = 1, refresh_ahead = "1m")]
async fn cache() {}

#[cached("2m", refresh_ahead = "1m")]
async fn cache_for_ever() {}

#[rate_limited(1, burst = 5, strategy = "token_bucket", queue = 0)]
async fn limit() -> Result<(), Refused> {
    Ok(())
}

#[retry(1, delay = "1m", max_delay = "2m", backoff = 2.0)]
async fn attempts() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = 10, min_calls = 10, slow_call = "2s", slow_rate = 0.5, probes = 1)]
async fn breaker() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(1, queue = 100, wait = "1s")]
async fn room() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(1, queue = 5, wait = "1s")]
async fn room_to_wait() -> Result<(), Refused> {
    Ok(())
}

fn main() {
    let _ = (cache(), cache_for_ever(), limit(), attempts(), breaker(), room(), room_to_wait());
}
