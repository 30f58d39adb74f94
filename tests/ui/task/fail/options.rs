#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task(que = "mail", colour = "red", timeout = "5m", timeout = "6m")]
async fn unknown() {}

#[task(queue = 5, priority = "high", internal = true, retry = 3, tags = "a", tags2("a"))]
async fn misshapen() {}

#[task(queue("mail"), retry(attempts = 3), timeout, version = 1.5, category = "", tags("a", ""), retry(3))]
async fn more() {}

#[task("a" "b")]
async fn two_names() {}

#[task("a", name = "b", command = 5, crate = "x")]
async fn named_twice() {}

#[task(5)]
async fn number() {}

#[task(max_attempts = 3, delay = "1s", every = "5m")]
async fn misplaced() {}
