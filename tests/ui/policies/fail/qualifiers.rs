use ddd_core::{cached, rate_limited};

#[cached]
const fn constant(a: u32) -> u32 {
    a
}

#[rate_limited(30)]
unsafe extern "C" fn variadic(a: u32, ...) -> u32 {
    a
}

fn main() {}
