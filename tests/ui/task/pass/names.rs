#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task("send_email")]
async fn größe() {}

#[task("mail:send-email.v2")]
async fn all_marks() {}

#[task("_1st", queue = "mail")]
async fn digit() {}

#[task]
async fn r#type(r#match: String) {}
