#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task(schedule(cron = "0 3 * * *"))]
async fn nightly() {}

#[task(schedule(cron = "*/5 9-17 * * MON-FRI", tz = "Europe/Berlin"))]
async fn zoned() {}

#[task(schedule(every = "5m"))]
async fn period() {}

#[task(schedule(every = "1s"))]
async fn often(
    #[serde(default)] tenant: String,
    limit: Option<u32>,
    #[inject] storage: String,
) {
}
