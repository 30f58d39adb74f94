#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn injected(
    #[inject] changed: &mut Vec<u8>,
    #[inject] named: &'static String,
    #[inject] object: &dyn Send,
    #[inject(storage)] value: String,
    #[inject]
    #[serde(default)]
    field: String,
    #[inject]
    #[secret]
    password: String,
) {
}
