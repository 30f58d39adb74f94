use std::{fmt::Display, sync::Arc};

use ddd_core::cached;

struct NotClone;

#[derive(Clone)]
struct Clonable;

#[cached("1h")]
async fn not_clone(id: u32) -> Arc<NotClone> {
    Arc::new(NotClone)
}

#[cached("1h")]
async fn not_clone_inside(id: u32) -> Result<Clonable, String> {
    Ok(Clonable)
}

#[cached("1h")]
async fn borrowed(text: &str) -> String {
    text.to_owned()
}

#[cached("1h")]
async fn hidden(id: u32) -> u32 {
    id
}

fn main() {
    fn shown(_: impl Future<Output = impl Display>) {}
    shown(hidden(1));
    let _ = (not_clone(1), not_clone_inside(1), borrowed("a"));
}
