#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

use std::{borrow::Cow, path::Path};

#[task]
async fn references(
    text: &str,
    list: &[u8],
    path: &Path,
    number: &u32,
    inner: Option<&'static str>,
    cow: Cow<'_, str>,
    shape: &dyn Send,
) {
}

#[task]
async fn returned(#[inject] name: &String) -> Result<&str, String> {
    Ok(name)
}
