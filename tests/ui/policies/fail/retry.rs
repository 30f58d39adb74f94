use ddd_core::{Refused, retry};

struct NotClone;

#[retry(3)]
async fn plain(id: u32) -> u32 {
    id
}

#[retry(3)]
async fn optional(id: u32) -> Option<u32> {
    Some(id)
}

#[retry(3)]
async fn argument(id: u32, value: NotClone) -> Result<u32, Refused> {
    drop(value);
    Ok(id)
}

#[retry(3, when = |error: &String| error.is_empty())]
async fn another_type(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {}
