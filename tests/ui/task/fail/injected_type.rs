#![allow(unused_variables)]
use ddd_core::task;

fn main() {}

use std::rc::Rc;

struct NotClone;

#[task]
async fn by_value(#[inject] it: NotClone) {}

#[task]
async fn not_shared(#[inject] it: &Rc<u8>) {}
