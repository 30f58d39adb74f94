#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(unique)]
async fn bare(order: u64) {}

#[task(unique(until = finished))]
async fn finished(order: u64) {}

#[task(unique(for = "1h"))]
async fn timed(order: u64) {}

#[task(unique(by = (order, &customer.name)))]
async fn by_key(order: u64, customer: Customer) {}

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Customer {
    name: String,
}
