use ddd_core::{cached, retry, timeout};

#[cached]
struct NotAFunction;

struct Shop;

#[retry(3)]
impl Shop {
    async fn load(&self) -> Result<u8, String> {
        Ok(1)
    }
}

trait Store {
    #[timeout("1s")]
    async fn load(&self) -> Result<u8, String>;
}

fn main() {}
