#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn holds_what_cannot_move() {
    let counter = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(counter);
}
