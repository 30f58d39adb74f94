#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

use std::borrow::Cow;

#[task]
async fn references(
    text: String,
    list: Vec<u8>,
    path: std::path::PathBuf,
    number: u32,
    inner: Option<String>,
    cow: Cow<'static, str>,
    #[inject] number_of_all: &u32,
    #[inject] shape: &std::sync::Arc<dyn Send + Sync>,
) {
}

#[task]
async fn returned(#[inject] name: &String) -> Result<String, &'static str> {
    Ok(name.clone())
}
