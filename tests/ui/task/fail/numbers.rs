#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(priority = 11, version = 0)]
async fn high() {}

#[task(priority = -300)]
async fn low() {}

#[task(retry(max_attempts = 0, backoff = 0.5, delay = "1m", max_delay = "1s", jitter = 1))]
async fn retried() {}

#[task(retry(delay = "1s"))]
async fn once() {}
