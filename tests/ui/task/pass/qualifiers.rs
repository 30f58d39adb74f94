#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
fn at_run_time() {}

#[task]
async fn checked() {
    // The `unsafe` block that the message speaks of stands in a body.
    let zero = unsafe { std::mem::zeroed::<u8>() };
}

#[task]
fn native() {}

#[task]
fn variadic(count: u32, values: Vec<u32>) {}
