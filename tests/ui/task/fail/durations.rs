#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(timeout = "5 minutes")]
async fn words() {}

#[task(timeout = "0s", result_ttl = "0ms")]
async fn zero() {}

#[task(timeout = 300)]
async fn unit() {}

#[task(result_ttl = "1.5h")]
async fn fraction() {}

#[task(timeout = "99999999d")]
async fn endless() {}
