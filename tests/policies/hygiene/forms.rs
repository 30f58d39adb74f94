//! Where a function stands, and how it takes `self`.

use std::{future::Future, pin::Pin, sync::Arc};

use ddd_core::{bulkhead, cached, circuit_breaker, retry, timeout};

use super::support::{Error, is_send};

#[cached("10m", key = (id, name.clone()))]
#[circuit_breaker]
#[retry(2, delay = "1ms")]
#[bulkhead(10)]
#[timeout("1s")]
async fn free(id: u64, name: String) -> Result<String, Error> {
    if id == 0 {
        return Err(Error::Other("none"));
    }
    Ok(name)
}

struct Shop {
    tenant: u64,
    calls: u32,
}

impl Shop {
    #[cached(key = (self.tenant, id))]
    #[retry(2, delay = "1ms")]
    async fn shared(&self, id: u64) -> Result<u64, Error> {
        Ok(self.tenant + id)
    }

    #[cached(key = (self.tenant, id), inside_retry = true)]
    #[timeout("1s")]
    async fn exclusive_cached(&mut self, id: u64) -> Result<u64, Error> {
        self.calls += 1;
        Ok(id)
    }

    #[circuit_breaker]
    #[retry(3, delay = "1ms")]
    #[cached(key = (self.tenant, id), inside_retry = true, tags = [self.tenant])]
    #[timeout("1s")]
    #[bulkhead(1)]
    async fn exclusive(&mut self, id: u64, name: String) -> Result<String, Error> {
        self.calls += 1;
        let calls = &mut self.calls;
        if *calls < 3 { Err("too few")? } else { Ok(name) }
    }

    #[retry(2, delay = "1ms")]
    #[timeout("1s")]
    async fn owned(self, id: u64) -> Result<u64, Error> {
        Ok(self.tenant + id)
    }

    #[timeout("1s")]
    #[bulkhead(1)]
    async fn consumed(self) -> Result<Self, Error> {
        Ok(self)
    }

    #[retry(2, delay = "1ms")]
    async fn counted(self: Arc<Self>, id: u64) -> Result<u64, Error> {
        Ok(self.tenant + id)
    }

    #[cached("10m")]
    async fn associated(id: u64) -> Result<u64, Error> {
        Ok(id)
    }
}

struct Repo<T>(T);

impl<T: Clone + Send + Sync> Repo<T> {
    #[cached(key = id)]
    #[retry(2, delay = "1ms")]
    #[timeout("1s")]
    async fn find<U: Clone + Send + Sync + 'static>(&self, id: u64, with: U) -> Result<U, Error> {
        let _ = &self.0;
        Ok(with)
    }

    #[cached]
    async fn count() -> usize {
        size_of::<T>()
    }
}

trait Store {
    async fn load(&self, id: u64) -> Result<u64, Error>;

    #[retry(2, delay = "1ms")]
    #[cached(key = id, inside_retry = true)]
    async fn reload(&self, id: u64) -> Result<u64, Error> {
        self.load(id).await
    }
}

impl Store for Shop {
    #[bulkhead(3)]
    #[retry(2, delay = "1ms")]
    async fn load(&self, id: u64) -> Result<u64, Error> {
        Ok(self.tenant + id)
    }
}

/// Written by hand, as before there was `async fn` in traits.
trait Boxed {
    fn load(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + '_>>;
}

impl Boxed for Repo<u64> {
    #[timeout("1s", name = "forms.boxed")]
    #[retry(2, delay = "1ms")]
    fn load(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + '_>> {
        let more = 1;
        Box::pin(async move { Ok(self.0 + id + more) })
    }
}

#[bulkhead(3)]
fn hidden(id: u64) -> impl Future<Output = Result<u64, Error>> + Send {
    async move { Ok(id) }
}

#[cached]
fn synchronous(name: &str, id: u64) -> usize {
    name.len() + usize::try_from(id).unwrap_or(0)
}

#[tokio::test]
async fn each_form_is_called_as_it_was() {
    assert_eq!(is_send(free(1, "x".into())).await, Ok("x".into()));
    assert_eq!(free(0, "x".into()).await, Err(Error::Other("none")));
    let mut shop = Shop { tenant: 1, calls: 0 };
    assert_eq!(is_send(shop.shared(2)).await, Ok(3));
    assert_eq!(is_send(shop.exclusive(2, "name".into())).await, Ok("name".into()));
    assert_eq!(shop.calls, 3);
    assert_eq!(is_send(shop.exclusive_cached(2)).await, Ok(2));
    assert_eq!(is_send(Store::load(&shop, 2)).await, Ok(3));
    assert_eq!(is_send(shop.reload(2)).await, Ok(3));
    assert_eq!(is_send(shop.owned(2)).await, Ok(3));
    let shop = is_send(Shop { tenant: 1, calls: 0 }.consumed()).await.unwrap();
    assert_eq!(is_send(Arc::new(shop).counted(1)).await, Ok(2));
    assert_eq!(is_send(Shop::associated(2)).await, Ok(2));
    assert_eq!(is_send(Repo(1u8).find(2, 'x')).await, Ok('x'));
    assert_eq!(is_send(Repo::<u16>::count()).await, 2);
    assert_eq!(is_send(Repo(1u64).load(1)).await, Ok(3));
    assert_eq!(is_send(hidden(1)).await, Ok(1));
    assert_eq!(synchronous("four", 4), 8);
}
