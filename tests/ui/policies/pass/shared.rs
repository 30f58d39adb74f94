use ddd_core::cached;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Plain(u32);

#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
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

#[cached("1h", scope = "shared")]
async fn idle(id: u32) -> u32 {
    id
}

#[cached("1h")]
fn synchronous(id: u32) -> u32 {
    id
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(value(1).await.0 + value_in_a_result(1).await.unwrap().0 + value_in_an_option(1).await.unwrap().0, 3);
    assert_eq!(argument(Key(1)).await + borrowed_argument(&Key(1)).await + written(1).await, 3);
    assert_eq!(idle(1).await + synchronous(1), 2);
}
