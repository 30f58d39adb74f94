use std::rc::Rc;

use ddd_core::cached;

#[cached("1h", detached = true)]
async fn owned(text: String) -> usize {
    text.len()
}

#[cached("1h")]
async fn borrowed(text: &str) -> usize {
    text.len()
}

#[cached("1h", key = *value, detached = false)]
async fn not_send(value: Rc<u32>) -> u32 {
    *value
}

fn main() {
    let _ = (owned(String::new()), borrowed("a"), not_send(Rc::new(1)));
}
