//! The keys under which a task is unique and limited.

use ddd_core::{Task, task};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
struct Customer {
    name: String,
}

#[task(unique(by = (order, &customer.name)), concurrency(limit = 2, key = customer.name))]
async fn keyed(order: u64, customer: Customer) {
    drop((order, customer));
}

#[task(unique(by = parameters))]
async fn by_all(a: u8, b: String) {
    drop((a, b));
}

#[task(concurrency(limit = 1, key = tenant))]
async fn perhaps(tenant: Option<String>) {
    drop(tenant);
}

#[task(concurrency(limit = 1, key = format!("{tenant}/{}", number % 8)))]
async fn computed(tenant: String, number: u64) {
    drop((tenant, number));
}

#[task]
async fn free() {}

#[test]
fn expressions_over_the_parameters() {
    let keys = keyed { order: 7, customer: Customer { name: "Ada".to_owned() } }.keys();
    assert_eq!(keys.unique.as_deref(), Some(r#"[7,"Ada"]"#));
    assert_eq!(keys.concurrency.as_deref(), Some("Ada"), "a text is its own key");
    let keys = computed { tenant: "acme".to_owned(), number: 10 }.keys();
    assert_eq!((keys.unique, keys.concurrency.as_deref()), (None, Some("acme/2")));
}

#[test]
fn all_parameters() {
    let keys = by_all { a: 1, b: "x".to_owned() }.keys();
    assert_eq!(keys.unique.as_deref(), Some(r#"{"a":1,"b":"x"}"#));
}

#[test]
fn no_value_is_no_key() {
    assert_eq!(perhaps { tenant: None }.keys().concurrency, None);
    assert_eq!(perhaps { tenant: Some("a".to_owned()) }.keys().concurrency.as_deref(), Some("a"));
    assert_eq!(free {}.keys(), <_>::default());
}

#[test]
fn stored_parameters_give_the_same_keys() {
    let json = crate::support::json(r#"{"order":7,"customer":{"name":"Ada"}}"#);
    let keys = (keyed::definition().check)(&json).unwrap();
    assert_eq!(keys, keyed { order: 7, customer: Customer { name: "Ada".to_owned() } }.keys());
}
