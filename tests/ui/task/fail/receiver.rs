#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

struct Mailer;

impl Mailer {
    #[task]
    async fn send(&self, to: String) {}
}
