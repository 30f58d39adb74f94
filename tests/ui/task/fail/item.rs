#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
struct SendEmail;

#[task]
const LIMIT: u32 = 1;
