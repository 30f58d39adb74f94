#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(unique(until = finished, for = "1h"))]
async fn both(order: u64) {}

#[task(unique(until = started))]
async fn started(order: u64) {}

#[task(unique(for = "0s"))]
async fn zero(order: u64) {}

#[task(unique(key = order))]
async fn other_word(order: u64) {}
