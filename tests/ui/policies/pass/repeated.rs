use ddd_core::{Refused, retry, timeout};

#[retry(3)]
async fn two_retries(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

#[timeout("10s")]
#[retry(3)]
#[timeout("1s", name = "two_timeouts.attempt")]
async fn two_timeouts(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {
    let _ = (two_retries(1), two_timeouts(1));
}
