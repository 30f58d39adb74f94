#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn holds_what_can_move() {
    let counter = std::sync::Arc::new(1);
    std::future::ready(()).await;
    drop(counter);
}
