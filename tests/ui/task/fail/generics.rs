#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn generic<T: Send>(value: T) {}

#[task]
async fn lifetime<'a>(count: u32) {}

#[task]
async fn sized<const N: usize>(count: u32) {}

#[task]
async fn bounded(count: u32)
where
    u32: Send,
{
}

#[task]
async fn implied(text: impl Into<String>, list: Vec<impl Send>) {}

#[task]
async fn hidden() -> Result<impl Send, String> {
    Ok(1)
}

#[task]
async fn inferred(count: Vec<_>) {}
