#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(timeout = "250ms", result_ttl = "30s")]
async fn short() {}

#[task(timeout = "5m", result_ttl = "2h")]
async fn long() {}

#[task(timeout = "1d", result_ttl = "36500d")]
async fn longest() {}
