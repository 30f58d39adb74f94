use ddd_core::{Refused, cached, retry};

#[cached("1h", name = "user_profile")]
async fn with_a_space(id: u32) -> u32 {
    id
}

#[retry(3, budget = "payments")]
async fn empty(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {
    let _ = (with_a_space(1), empty(1));
}
