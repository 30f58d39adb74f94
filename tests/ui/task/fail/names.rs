#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

#[task("")]
async fn empty() {}

#[task("send email")]
async fn spaced() {}

#[task("1st")]
async fn digit() {}

#[task(queue = "")]
async fn no_queue() {}

#[task]
async fn größe() {}
