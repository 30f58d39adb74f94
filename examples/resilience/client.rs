//! How a service calls the warehouse: one attribute for each thing that can go wrong.

use ddd_core::{bulkhead, cached, circuit_breaker, rate_limited, retry, timeout};

use super::warehouse::{Warehouse, WarehouseError};

type Result<T> = std::result::Result<T, WarehouseError>;

/// The service's side of the line.
#[derive(Debug)]
pub struct Client {
    pub warehouse: Warehouse,
}

impl Client {
    /// What is asked for often, and may be a minute old.
    #[cached("1m", key = item, name = "stock", handle = Self::STOCK: u64)]
    pub async fn stock(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }

    /// What the warehouse lets each customer ask for.
    #[rate_limited(20, per = "1m", key = customer, name = "quota")]
    pub async fn quota(&self, customer: u32, item: u64) -> Result<u64> {
        let _ = customer;
        self.warehouse.count(item).await
    }

    /// What is worth another try.
    #[retry(4, delay = "20ms", name = "reserve")]
    pub async fn reserve(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }

    /// What must not wait for a warehouse that is down.
    #[circuit_breaker(window = 20, min_calls = 10, open_for = "1s", name = "warehouse")]
    pub async fn price(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }

    /// What the warehouse can do for so many at once; a few more may wait in front of the door.
    #[bulkhead(5, queue = 5, wait = "10s", name = "door")]
    pub async fn fetch(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }

    /// What nobody waits for longer.
    #[timeout("50ms", name = "inspect")]
    pub async fn inspect(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }

    /// All of them. Read from the top: the cache answers first; what it does not know uses up the limit; the breaker counts what
    /// the retries could not mend; each attempt takes a place of the bulkhead, and has a deadline of its own.
    #[cached("1m", key = item, name = "order")]
    #[rate_limited(100, per = "1m")]
    #[circuit_breaker(window = 20, open_for = "1s", name = "warehouse_orders")]
    #[retry(3, delay = "20ms")]
    #[bulkhead(10, queue = 100, wait = "1s")]
    #[timeout("2s")]
    pub async fn order(&self, item: u64) -> Result<u64> {
        self.warehouse.count(item).await
    }
}
