#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn send_email() {}
