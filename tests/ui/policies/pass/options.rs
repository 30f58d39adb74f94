use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[cached(ttl = "1h")]
async fn misspelled() {}

#[cached("1h")]
async fn twice() {}

#[cached("60s")]
async fn without_unit() {}

#[cached(ttl = "90m", tti = "10m", tags = ["user"], detached = false)]
async fn wrong_values() {}

#[rate_limited(30)]
async fn a_text() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, strategy = "token_bucket", scope = "local", when_unavailable = "allow")]
async fn wrong_words() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, key = (1, 2))]
async fn two_keys() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, and(500, per = "1h"), and(500), and(1))]
async fn further() -> Result<(), Refused> {
    Ok(())
}

#[retry(network, delay = "500ms")]
async fn two_presets() -> Result<(), Refused> {
    Ok(())
}

#[retry(3)]
async fn without_parentheses() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5)]
async fn nothing_stands_first() -> Result<(), Refused> {
    Ok(())
}

#[timeout("2s")]
async fn without_a_duration() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead(10)]
async fn without_a_limit() -> Result<(), Refused> {
    Ok(())
}

#[retry(max_attempts = 3)]
#[timeout("2s")]
#[bulkhead(limit = 3)]
async fn all_at_once() -> Result<(), Refused> {
    Ok(())
}

fn main() {
    let _ = (misspelled(), twice(), without_unit(), wrong_values(), a_text(), wrong_words(), two_keys(), further());
    let _ = (two_presets(), without_parentheses(), nothing_stands_first(), without_a_duration(), without_a_limit());
    let _ = all_at_once();
}
