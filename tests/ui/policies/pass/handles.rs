use ddd_core::cached;

#[cached("1h", key = id, handle = TEXTS: u32)]
async fn generic(id: u32, value: String) -> String {
    value
}

#[cached("1h", handle = WITHOUT_A_TYPE: u32)]
async fn without_a_type(id: u32) -> u32 {
    id
}

#[cached("1h", handle = A_TEXT: u32)]
async fn a_text(id: u32) -> u32 {
    id
}

#[cached("1h", handle = ANOTHER_TYPE: u32)]
async fn another_type(id: u32) -> u32 {
    id
}

struct Shop;

impl Shop {
    #[cached("1h", key = id, handle = Self::METHOD: u32)]
    async fn method(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    let _ = (generic(1, String::new()), without_a_type(1), a_text(1), another_type(1), Shop.method(1));
    let _ = (TEXTS, WITHOUT_A_TYPE, A_TEXT, ANOTHER_TYPE, Shop::METHOD);
}
