#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

mod my_facade {
    pub use ddd_core;
}

#[task(
    name = "everything",
    queue = "mail",
    priority = 5,
    timeout = "5m",
    retry(max_attempts = 5, delay = "1s", backoff = 2.0, max_delay = "1h", jitter = true),
    unique(by = parameters, until = finished),
    concurrency(limit = 2, key = tenant),
    result_ttl = "2h",
    schedule(cron = "0 3 * * *", tz = "Europe/Berlin"),
    version = 2,
    category = "billing",
    tags("slow", "mail"),
    internal,
    command = SendEmail,
    crate = my_facade::ddd_core
)]
async fn everything(tenant: Option<String>) {}

#[task("first")]
async fn named() {}

#[task("second", queue = "mail",)]
async fn named_and_more() {}

#[task()]
async fn bare() {}
