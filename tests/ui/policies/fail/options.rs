use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[cached(tll = "1h")]
async fn misspelled() {}

#[cached("1h", ttl = "2h")]
async fn twice() {}

#[cached(60)]
async fn without_unit() {}

#[cached(ttl = "1.5h", tti = "0s", tags = "user", detached = 1)]
async fn wrong_values() {}

#[rate_limited("30")]
async fn a_text() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, strategy = "leaky_bucket", scope = "global", when_unavailable = "deny")]
async fn wrong_words() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, by_user = 1, by_ip = 2)]
async fn two_keys() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, and(per = "1h"), and(500), and(500, peer = "1h"), and(1), and(2))]
async fn further() -> Result<(), Refused> {
    Ok(())
}

#[retry(network, database)]
async fn two_presets() -> Result<(), Refused> {
    Ok(())
}

#[retry = 3]
async fn without_parentheses() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(0.5)]
async fn nothing_stands_first() -> Result<(), Refused> {
    Ok(())
}

#[timeout]
async fn without_a_duration() -> Result<(), Refused> {
    Ok(())
}

#[bulkhead]
async fn without_a_limit() -> Result<(), Refused> {
    Ok(())
}

/// All errors of all attributes are told at once.
#[retry(attempts = 3)]
#[timeout(2)]
#[bulkhead(limits = 3)]
async fn all_at_once() -> Result<(), Refused> {
    Ok(())
}

#[retry(max_retries = 3)]
async fn other_words() -> Result<(), Refused> {
    Ok(())
}

#[rate_limited(30, period = "1s")]
async fn words_of_a_limit() -> Result<(), Refused> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 5, recovery_timeout = 60)]
async fn words_of_a_breaker() -> Result<(), Refused> {
    Ok(())
}

fn main() {}
