#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn patterns((a, b): (u32, u32), _: String, [first, ..]: [u8; 4], whole @ Some(_): Option<u8>, ref by: u8) {}
