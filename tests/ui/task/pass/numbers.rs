#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(priority = 10, version = 1)]
async fn high() {}

#[task(priority = -10)]
async fn low() {}

#[task(retry(max_attempts = 1, backoff = 1, delay = "0s"))]
async fn retried() {}

#[task(retry(max_attempts = 5, delay = "1s", max_delay = "1s"))]
async fn more() {}
