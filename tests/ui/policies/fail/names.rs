use ddd_core::{Refused, cached, retry};

#[cached("1h", name = "user profile")]
async fn with_a_space(id: u32) -> u32 {
    id
}

#[retry(3, budget = "")]
async fn empty(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {}
