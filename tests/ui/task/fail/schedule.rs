#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(schedule(cron = "0 0 3 * * *"))]
async fn six_fields() {}

#[task(schedule(cron = "@daily"))]
async fn alias() {}

#[task(schedule(cron = "0 3 * * *", every = "5m"))]
async fn both() {}

#[task(schedule(every = "5m", tz = "Europe/Berlin"))]
async fn zoned_period() {}

#[task(schedule(tz = "Europe/Berlin"))]
async fn neither() {}

#[task(schedule(every = "10ms"))]
async fn too_often() {}

#[task(schedule = "0 3 * * *")]
async fn assigned() {}

#[task(schedule(every = "1h"))]
async fn needs_parameters(tenant: String) {}
