#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(concurrency(limit = 2, key = tenent))]
async fn misspelt(tenant: String) {}

struct NotSerialize;

#[task(unique(by = NotSerialize))]
async fn unwritable(tenant: String) {}
