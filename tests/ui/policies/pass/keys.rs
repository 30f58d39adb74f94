use ddd_core::{Refused, cached, rate_limited};

struct Shop {
    id: u32,
}

impl Shop {
    #[cached("1h", key = self.id)]
    async fn no_argument(&self) -> u32 {
        self.id
    }

    #[cached("1h", key = (self.id, a, b))]
    async fn two_arguments(&self, a: u32, b: u32) -> u32 {
        self.id + a + b
    }

    #[cached("1h", key = (a, b))]
    async fn two_arguments_alone(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

#[cached("1h", key = (a, b))]
async fn pattern((a, b): (u32, u32)) -> u32 {
    a + b
}

#[cached(key = id)]
async fn hidden(id: u32, a: impl Into<u32>) -> u32 {
    id + a.into()
}

#[cached("1h", key = *a)]
async fn changed(a: &mut u32) -> u32 {
    *a
}

#[cached("1h", key = a.map(str::to_owned))]
async fn borrowed_inside(a: Option<&str>) -> bool {
    a.is_some()
}

#[cached("1h", key = (a.to_bits(), b))]
async fn fraction(a: f64, b: u32) -> f64 {
    a + f64::from(b)
}

#[cached("1h", key = (a.to_owned(), b))]
async fn borrowed(a: &str, b: u32) -> usize {
    a.len()
}

#[rate_limited(30, key = a)]
async fn limit(a: &str) -> Result<usize, Refused> {
    Ok(a.len())
}

#[cached("1h", key = format!("user:{id}"))]
async fn template(id: u32) -> u32 {
    id
}

#[cached("1h", key = ())]
async fn one_for_all(id: u32) -> u32 {
    id
}

#[rate_limited(30)]
async fn of_everybody() -> Result<(), Refused> {
    Ok(())
}

fn main() {
    let shop = Shop { id: 1 };
    let _ = (shop.no_argument(), shop.two_arguments(1, 2), shop.two_arguments_alone(1, 2), pattern((1, 2)));
    let _ = (fraction(1.0, 1), hidden(1, 2u8), changed(&mut 1), borrowed_inside(None), borrowed("a", 1), limit("a"));
    let _ = (template(1), one_for_all(1), of_everybody());
}
