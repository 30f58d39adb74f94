use ddd_core::{Refused, cached, rate_limited};

struct Shop {
    id: u32,
}

impl Shop {
    #[cached("1h")]
    async fn no_argument(&self) -> u32 {
        self.id
    }

    #[cached("1h")]
    async fn two_arguments(&self, a: u32, b: u32) -> u32 {
        self.id + a + b
    }
}

#[cached("1h")]
async fn pattern((a, b): (u32, u32)) -> u32 {
    a + b
}

#[cached("1h")]
async fn hidden(a: impl Into<u32>) -> u32 {
    a.into()
}

#[cached("1h")]
async fn changed(a: &mut u32) -> u32 {
    *a
}

#[cached("1h")]
async fn borrowed_inside(a: Option<&str>) -> bool {
    a.is_some()
}

#[cached("1h")]
async fn fraction(a: f64, b: u32) -> f64 {
    a + f64::from(b)
}

#[cached("1h", key = (a, b))]
async fn borrowed(a: &str, b: u32) -> usize {
    a.len()
}

#[cached("1h", key = "user:{id}")]
async fn template(id: u32) -> u32 {
    id
}

#[rate_limited(30, key = "everybody")]
async fn of_everybody() -> Result<(), Refused> {
    Ok(())
}

fn main() {}
