use ddd_core::{Refused, bulkhead, cached, rate_limited};

#[cached]
fn constant(a: u32) -> u32 {
    a
}

#[rate_limited(30)]
extern "C" fn variadic(a: &[u32]) -> Result<u32, Refused> {
    Ok(a[0])
}

#[bulkhead(3)]
async unsafe fn not_safe(a: u32) -> Result<u32, Refused> {
    Ok(a)
}

fn main() {
    constant(1);
    let _ = (variadic(&[1]), unsafe { not_safe(1) });
}
