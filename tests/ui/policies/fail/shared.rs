use ddd_core::cached;

#[derive(Clone)]
struct Plain(u32);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(u32);

#[cached("1h", scope = "shared")]
async fn value(id: u32) -> Plain {
    Plain(id)
}

#[cached("1h", scope = "shared")]
async fn value_in_a_result(id: u32) -> Result<Plain, std::io::Error> {
    Ok(Plain(id))
}

#[cached("1h", scope = "shared")]
async fn value_in_an_option(id: u32) -> Option<Plain> {
    Some(Plain(id))
}

#[cached("1h", scope = "shared")]
async fn argument(id: Key) -> u32 {
    id.0
}

#[cached("1h", scope = "shared")]
async fn borrowed_argument(id: &Key) -> u32 {
    id.0
}

#[cached("1h", scope = "shared", key = (id, Key(id)))]
async fn written(id: u32) -> u32 {
    id
}

#[cached("1h", tti = "10m", scope = "shared")]
async fn idle(id: u32) -> u32 {
    id
}

#[cached("1h", scope = "shared")]
fn synchronous(id: u32) -> u32 {
    id
}

fn main() {}
