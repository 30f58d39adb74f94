use ddd_core::{Refused, cached, retry, timeout};

#[cached]
async fn function() {}

struct Shop;

impl Shop {
    #[retry(3)]
    async fn load(&self) -> Result<u8, String> {
        Ok(1)
    }
}

trait Store {
    async fn load(&self) -> Result<u8, Refused>;
}

impl Store for Shop {
    #[timeout("1s")]
    async fn load(&self) -> Result<u8, Refused> {
        Ok(1)
    }
}

fn main() {
    let _ = (function(), Shop.load(), Store::load(&Shop));
}
