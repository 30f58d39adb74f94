use ddd_core::{Refused, cached, rate_limited, retry};

#[rate_limited(30)]
#[cached("1h")]
async fn limit_outside_cache(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

#[retry(3)]
#[cached("1h")]
async fn cache_inside_retry(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {}
