#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

use std::sync::{Arc, Mutex};

trait Storage: Send + Sync {}

#[task]
async fn injected(
    #[inject] changed: &Mutex<Vec<u8>>,
    #[inject] named: &String,
    #[inject] object: &std::sync::Arc<dyn Storage>,
    #[inject] owned: Arc<dyn Storage>,
    #[inject] value: String,
    #[inject] context: ddd_core::TaskContext,
) {
}
