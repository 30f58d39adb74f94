#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

use std::sync::Arc;

struct NotClone;

#[task]
async fn borrowed(#[inject] it: &NotClone, #[inject] shared: Arc<NotClone>) {}
