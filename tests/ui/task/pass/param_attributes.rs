#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[cfg(unix)]
#[task]
async fn attributes(
    on_unix: u32,
    #[inject] near: String,
    #[garde(length(min = 1))] far: String,
    #[secret] valued: String,
    flat: std::collections::BTreeMap<String, String>,
    #[serde(default)] skipped: String,
    #[serde(rename = "a", alias = "b")] split: String,
    first: String,
    #[serde(rename = "second")]
    #[schemars(range(min = 1))]
    #[allow(unused)]
    number: u8,
) {
}

#[task]
#[cfg(not(unix))]
async fn elsewhere(count: NoSuchType) {}
