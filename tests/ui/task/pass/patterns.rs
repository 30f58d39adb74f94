#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn patterns(pair: (u32, u32), _ignored: String, bytes: [u8; 4], whole: Option<u8>, mut by: u8) {
    let (a, b) = pair;
    let [first, ..] = bytes;
    by += 1;
}
