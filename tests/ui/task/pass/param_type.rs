#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Shown;

#[task]
async fn opaque(value: Shown) {}

#[task]
async fn not_injected(#[inject] context: ddd_core::TaskContext) {}
