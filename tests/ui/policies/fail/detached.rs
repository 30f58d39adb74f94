use std::rc::Rc;

use ddd_core::cached;

#[cached("1h", detached = true)]
async fn borrowed(text: &str) -> usize {
    text.len()
}

#[cached("1h", key = *value)]
async fn not_send(value: Rc<u32>) -> u32 {
    *value
}

fn main() {}
