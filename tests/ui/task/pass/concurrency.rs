#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(concurrency(limit = 2, key = tenant))]
async fn by_name(tenant: String) {}

#[task(concurrency(limit = 1, key = format!("{tenant}/{}", number % 8)))]
async fn by_expression(tenant: String, number: u64) {}
