#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(remote)]
async fn with_body(invoice: String) -> Result<String, String> {
    Ok(invoice)
}

#[task]
async fn without_body(invoice: String) -> Result<String, String>;

#[task(remote, schedule(every = "1h"))]
async fn scheduled() -> Result<String, String>;

#[task(remote)]
async fn injected(#[inject] storage: String) -> Result<String, String>;
