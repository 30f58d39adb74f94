use ddd_core::{Refused, cached, rate_limited};

#[derive(Clone)]
struct Point {
    x: u32,
}

#[cached("1h")]
async fn not_comparable(point: Point) -> u32 {
    point.x
}

#[cached("1h")]
async fn lent(point: &Point) -> u32 {
    point.x
}

#[cached("1h", key = point.clone())]
async fn written(point: Point) -> u32 {
    point.x
}

#[rate_limited(30, key = point)]
async fn limit(point: Point) -> Result<u32, Refused> {
    Ok(point.x)
}

#[cached("1h", key = name)]
async fn given_away(name: String) -> usize {
    name.len()
}

fn main() {}
