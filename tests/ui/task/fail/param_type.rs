#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

struct Opaque;

#[task]
async fn opaque(value: Opaque) {}

#[derive(serde::Serialize, serde::Deserialize)]
struct WithoutSchema;

#[task]
async fn schemaless(value: WithoutSchema) {}

#[task]
async fn not_injected(context: ddd_core::TaskContext) {}
