#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn attributes(
    #[cfg(unix)] on_unix: u32,
    #[injected] near: String,
    #[validate] far: String,
    #[secret = "yes"] valued: String,
    #[serde(flatten)] flat: std::collections::BTreeMap<String, String>,
    #[serde(skip)] skipped: String,
    #[serde(rename(serialize = "a", deserialize = "b"))] split: String,
    first: String,
    #[serde(rename = "first")] second: String,
) {
}
