use ddd_core::{Refused, rate_limited};

#[rate_limited(3, handle = WITHOUT_A_KEY: u64)]
async fn without_a_key(id: u64) -> Result<u64, Refused> {
    Ok(id)
}

#[rate_limited(3, key = id, handle = ANOTHER_TYPE: String)]
async fn another_type(id: u64) -> Result<u64, Refused> {
    Ok(id)
}

struct Shop;

impl Shop {
    #[rate_limited(3, key = id, handle = METHOD: u64)]
    async fn method(&self, id: u64) -> Result<u64, Refused> {
        Ok(id)
    }
}

fn main() {}
