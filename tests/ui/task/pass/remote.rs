#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(remote)]
async fn elsewhere(invoice: String) -> Result<String, String>;

#[task(remote, queue = "far")]
fn without_async(invoice: String);

#[task]
async fn here(invoice: String) -> Result<String, String> {
    Ok(invoice)
}

#[task(schedule(every = "1h"))]
async fn scheduled(#[inject] storage: String) -> Result<String, String> {
    Ok(storage)
}
