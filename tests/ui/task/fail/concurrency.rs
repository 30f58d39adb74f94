#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(concurrency(limit = 0, key = tenant))]
async fn zero(tenant: String) {}

#[task(concurrency(limit = 2))]
async fn no_key(tenant: String) {}

#[task(concurrency = 2)]
async fn assigned(tenant: String) {}
