use ddd_core::{Refused, bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

#[derive(Debug, thiserror::Error)]
enum MyError {
    #[error(transparent)]
    Refused(#[from] Refused),
}

#[rate_limited(30)]
async fn plain() -> Result<u32, Refused> {
    Ok(1)
}

#[timeout("1s")]
async fn nothing() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(())
}

#[bulkhead(3)]
async fn optional() -> Result<Option<u32>, Refused> {
    Ok(Some(1))
}

#[cached("1h")]
#[retry(3)]
#[circuit_breaker]
async fn error_of_mine() -> Result<u32, MyError> {
    Ok(1)
}

fn main() {
    let _ = (plain(), nothing(), optional(), error_of_mine());
}
