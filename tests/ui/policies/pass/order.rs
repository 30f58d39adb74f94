use ddd_core::{Refused, cached, rate_limited, retry};

#[cached("1h")]
#[rate_limited(30)]
async fn limit_inside_cache(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

#[rate_limited(30, outside_cache = true)]
#[cached("1h")]
async fn limit_outside_cache(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

#[cached("1h")]
#[retry(3)]
async fn cache_outside_retry(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

#[retry(3)]
#[cached("1h", inside_retry = true)]
async fn cache_inside_retry(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {
    let _ = (limit_inside_cache(1), limit_outside_cache(1), cache_outside_retry(1), cache_inside_retry(1));
}
