#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn number() -> usize {
    1
}

struct Opaque;

#[task]
async fn result() -> Result<Opaque, String> {
    Ok(Opaque)
}

#[task]
async fn error() -> Result<u8, Opaque> {
    Ok(1)
}
