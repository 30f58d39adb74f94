#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[derive(Clone)]
struct Mailer;

impl Mailer {
    async fn send(&self, to: String) {}
}

#[task]
async fn send(to: String, #[inject] mailer: Mailer) {
    mailer.send(to).await;
}
