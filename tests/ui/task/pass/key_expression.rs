#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(concurrency(limit = 2, key = tenant))]
async fn spelt(tenant: String) {}

#[derive(serde::Serialize)]
struct Writable;

#[task(unique(by = Writable))]
async fn written(tenant: String) {}
