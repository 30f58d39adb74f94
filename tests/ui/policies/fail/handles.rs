use ddd_core::cached;

#[cached("1h", key = id, handle = GENERIC: u32)]
async fn generic<T: Clone + Send + Sync + 'static>(id: u32, value: T) -> T {
    value
}

#[cached("1h", handle = WITHOUT_A_TYPE)]
async fn without_a_type(id: u32) -> u32 {
    id
}

#[cached("1h", handle = "text": u32)]
async fn a_text(id: u32) -> u32 {
    id
}

#[cached("1h", handle = ANOTHER_TYPE: u64)]
async fn another_type(id: u32) -> u32 {
    id
}

struct Shop;

impl Shop {
    #[cached("1h", key = id, handle = METHOD: u32)]
    async fn method(&self, id: u32) -> u32 {
        id
    }
}

fn main() {}
