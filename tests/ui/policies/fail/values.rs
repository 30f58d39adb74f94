use std::fmt::Display;

use ddd_core::cached;

struct NotClone;

#[cached("1h")]
async fn not_clone(id: u32) -> NotClone {
    NotClone
}

#[cached("1h")]
async fn not_clone_inside(id: u32) -> Result<NotClone, String> {
    Ok(NotClone)
}

#[cached("1h")]
async fn borrowed(text: &str) -> &str {
    text
}

#[cached("1h")]
async fn hidden(id: u32) -> impl Display {
    id
}

fn main() {}
