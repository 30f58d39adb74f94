#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
const fn at_compile_time() {}

#[task]
async unsafe fn unchecked() {}

#[task]
extern "C" fn foreign() {}

#[task]
unsafe extern "C" fn variadic(count: u32, ...) {}
