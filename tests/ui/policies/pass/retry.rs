use std::sync::Arc;

use ddd_core::{Refused, retry};

struct NotClone;

#[retry(3, when = |value| *value == 0)]
async fn plain(id: u32) -> u32 {
    id
}

#[retry(3, when = |value| value.is_none())]
async fn optional(id: u32) -> Option<u32> {
    Some(id)
}

#[retry(3)]
async fn argument(id: u32, value: Arc<NotClone>) -> Result<u32, Refused> {
    drop(value);
    Ok(id)
}

#[retry(3)]
async fn lent(id: u32, value: &NotClone) -> Result<u32, Refused> {
    let _ = value;
    Ok(id)
}

#[retry(3, when = |error: &Refused| error.retry_after.is_some())]
async fn another_type(id: u32) -> Result<u32, Refused> {
    Ok(id)
}

fn main() {
    let _ = (plain(1), optional(1), argument(1, Arc::new(NotClone)), lent(1, &NotClone), another_type(1));
}
