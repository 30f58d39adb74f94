#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn number() -> Result<usize, std::io::Error> {
    Ok(1)
}

type Alias<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Shown;

#[task]
async fn result() -> Alias<Shown> {
    Ok(Shown)
}

#[task]
fn nothing() {}
