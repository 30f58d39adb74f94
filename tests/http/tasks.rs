//! The tasks that the tests submit.

use std::collections::BTreeMap;

use ddd_core::{TaskContext, TaskError, task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The task of the original's first example.
#[task]
async fn my_custom_task(input: String) -> Result<String, String> {
    Ok(input.to_uppercase())
}

/// A line of an order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) article: String,
    pub(crate) count: u8,
}

/// How an order is paid.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payment {
    Cash,
    Card,
    Transfer { iban: String },
}

/// Places an order.
#[task("orders.place", queue = "orders", category = "shop", tags("shop", "money"), retry(max_attempts = 3))]
async fn place_order(
    lines: Vec<Line>,
    payment: Payment,
    note: Option<String>,
    labels: Option<BTreeMap<String, String>>,
) -> Result<usize, String> {
    let _ = (payment, note, labels);
    Ok(lines.len())
}

/// Its schema says more than its types.
#[task]
async fn bounded(
    #[schemars(range(min = 1, max = 10))] level: u8,
    #[schemars(length(max = 5))] name: String,
) -> Result<u8, String> {
    let _ = name;
    Ok(level)
}

/// Runs on a thread.
#[task]
fn hash(text: String) -> Result<usize, String> {
    Ok(text.len())
}

#[task]
async fn nothing() {}

#[task]
async fn fail(message: String) -> Result<(), String> {
    Err(message)
}

#[task(internal)]
async fn housekeeping() {}

/// Keeps a secret.
#[task]
async fn login(user: String, #[secret] password: String) -> Result<String, String> {
    let _ = password;
    Ok(user)
}

/// Ends when it is told to.
#[task(timeout = "1h")]
async fn wait(#[inject] context: TaskContext) -> Result<(), TaskError> {
    context.cancelled().await;
    Ok(())
}

/// One at a time for each input.
#[task(unique)]
async fn once(key: String) -> Result<String, String> {
    Ok(key)
}

/// Panics while its parameters are read.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Mine;

impl<'de> Deserialize<'de> for Mine {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a secret in src/mine.rs");
    }
}

#[task]
async fn explode(mine: Mine) {
    let _ = mine;
}

#[task(schedule(every = "1h"))]
async fn tick() {}
