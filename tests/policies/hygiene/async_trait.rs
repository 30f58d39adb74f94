//! Beside `#[async_trait]`, which rewrites the methods before our attributes see them.

use async_trait::async_trait;
use ddd_core::{bulkhead, cached, circuit_breaker, retry, timeout};

use super::support::{Error, is_send};

#[async_trait]
trait Store {
    async fn load(&self, id: u64, name: &str) -> Result<String, Error>;

    async fn count(&mut self, by: u32) -> Result<u32, Error>;

    #[cached(key = id)]
    #[timeout("1s")]
    async fn default_method(&self, id: u64) -> Result<u64, Error>
    where
        Self: Sync,
    {
        Ok(id)
    }
}

struct Shop {
    tenant: u64,
    calls: u32,
}

#[async_trait]
impl Store for Shop {
    #[cached(key = (self.tenant, id))]
    #[circuit_breaker]
    #[retry(2, delay = "1ms")]
    #[timeout("1s")]
    async fn load(&self, id: u64, name: &str) -> Result<String, Error> {
        if id == 0 {
            return Err(Error::Other("zero"));
        }
        Ok(format!("{name}{}", self.tenant + id))
    }

    #[bulkhead(2)]
    #[retry(3, delay = "1ms")]
    #[timeout("1s")]
    async fn count(&mut self, mut by: u32) -> Result<u32, Error> {
        by += 1;
        self.calls += by;
        if self.calls < 6 { Err("again")? } else { Ok(self.calls) }
    }
}

#[async_trait]
trait Generic<T: Send + Sync + 'static> {
    async fn pass(&self, value: T) -> Result<T, Error>;
}

#[async_trait]
impl<T: Clone + Send + Sync + 'static> Generic<T> for Shop {
    #[retry(2, delay = "1ms")]
    #[bulkhead(3)]
    async fn pass(&self, value: T) -> Result<T, Error> {
        Ok(value)
    }
}

#[tokio::test]
async fn methods_of_async_trait_keep_their_policies() {
    let mut shop = Shop { tenant: 1, calls: 0 };
    assert_eq!(is_send(shop.load(1, "a")).await, Ok("a2".into()));
    assert_eq!(shop.load(0, "a").await, Err(Error::Other("zero")));
    assert_eq!(is_send(shop.count(1)).await, Ok(6));
    assert_eq!(is_send(shop.default_method(1)).await, Ok(1));
    assert_eq!(is_send(shop.pass("x")).await, Ok("x"));
    let shop: Box<dyn Store + Sync> = Box::new(shop);
    assert_eq!(shop.load(2, "b").await, Ok("b3".into()));
}
