#![allow(dead_code, unused_variables)]
use ddd_core::task;

fn main() {}

#[task]
async fn of_numbers(value: u32) {}

#[task]
async fn of_texts(value: String) {}

#[task]
async fn implied(text: String, list: Vec<u8>) {}

#[task]
async fn shown() -> Result<u8, String> {
    Ok(1)
}

#[task]
async fn stated(count: Vec<u8>) {}
