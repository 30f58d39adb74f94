//! One scene for each policy, and one for the operator.

use std::{future::Future, time::Duration};

use ddd_core::{Forced, PolicyKind, RefusedKind, policies};
use tokio::task::JoinSet;

use super::{
    Outcome,
    client::Client,
    warehouse::{Mood, Warehouse, WarehouseError},
};

static CLIENT: Client = Client { warehouse: Warehouse::new() };

/// How the calls of a scene ended.
#[derive(Default)]
struct Ends {
    good: u32,
    refused: u32,
    failed: u32,
    /// In how long a refused call may pass, as the last refusal said.
    retry_after: Option<Duration>,
}

impl Ends {
    fn count(&mut self, end: Result<u64, WarehouseError>) {
        match end {
            Ok(_) => self.good += 1,
            Err(WarehouseError::Refused(refused)) => {
                self.refused += 1;
                self.retry_after = refused.retry_after;
            }
            Err(_) => self.failed += 1,
        }
    }
}

/// Calls `call` with 1, 2, 3, …, so many times at once.
async fn at_once<F>(number: u64, call: impl Fn(u64) -> F) -> Result<Ends, tokio::task::JoinError>
where
    F: Future<Output = Result<u64, WarehouseError>> + Send + 'static,
{
    let mut calls = JoinSet::new();
    (1..=number).for_each(|it| drop(calls.spawn(call(it))));
    let mut ends = Ends::default();
    while let Some(end) = calls.join_next().await {
        ends.count(end?);
    }
    Ok(ends)
}

pub async fn a_thousand_ask_for_the_same() -> Outcome {
    section!("cached: a thousand ask for the same");
    CLIENT.warehouse.set(Mood::Slow(Duration::from_millis(20)));
    let ends = at_once(1_000, |_| CLIENT.stock(7)).await?;
    say!("{} callers were answered, and the warehouse was asked {} time(s)", ends.good, CLIENT.warehouse.take_calls());
    Client::STOCK.invalidate(&7).await;
    at_once(1_000, |_| CLIENT.stock(7)).await?;
    say!("after one invalidation, another thousand: asked {} time(s)", CLIENT.warehouse.take_calls());
    CLIENT.warehouse.set(Mood::Fine);
    Ok(())
}

pub async fn too_many_ask_for_different_things() -> Outcome {
    section!("rate_limited: a customer asks fifty times, twenty a minute are allowed");
    let ends = at_once(50, |item| CLIENT.quota(1, item)).await?;
    say!("{} calls passed, {} were refused", ends.good, ends.refused);
    let said = if ends.retry_after.is_some() { "says" } else { "does not say" };
    say!("a refusal {said} in how long the next call passes");
    let ends = at_once(1, |item| CLIENT.quota(2, item)).await?;
    say!("another customer: {} of 1 passed", ends.good);
    CLIENT.warehouse.take_calls();
    Ok(())
}

pub async fn the_line_drops_now_and_then() -> Outcome {
    section!("retry: the line drops twice");
    CLIENT.warehouse.set(Mood::Failing(2));
    let pieces = CLIENT.reserve(7).await?;
    say!("{pieces} pieces, after {} calls of the warehouse", CLIENT.warehouse.take_calls());
    let wrong = CLIENT.reserve(0).await;
    let calls = CLIENT.warehouse.take_calls();
    say!("a wrong number is not tried again: {}, after {calls} call", text(wrong));
    Ok(())
}

pub async fn the_warehouse_is_down() -> Outcome {
    section!("circuit_breaker: the warehouse is down");
    CLIENT.warehouse.set(Mood::Down);
    let mut ends = Ends::default();
    for item in 1..=100 {
        ends.count(CLIENT.price(item).await);
    }
    say!("{} of 100 calls failed, {} were refused without a call", ends.failed, ends.refused);
    CLIENT.warehouse.take_calls();
    CLIENT.warehouse.set(Mood::Fine);
    tokio::time::sleep(ends.retry_after.unwrap_or_default()).await;
    let mut ends = Ends::default();
    for item in 1..=100 {
        ends.count(CLIENT.price(item).await);
    }
    say!("it is up again, the circuit closed: {} of 100 calls passed", ends.good);
    CLIENT.warehouse.take_calls();
    Ok(())
}

pub async fn everybody_comes_at_once() -> Outcome {
    section!("bulkhead: thirty come at once, five have room, five may wait");
    CLIENT.warehouse.set(Mood::Slow(Duration::from_millis(200)));
    let ends = at_once(30, |item| CLIENT.fetch(item)).await?;
    say!("{} were served, {} were refused at once", ends.good, ends.refused);
    CLIENT.warehouse.set(Mood::Fine);
    CLIENT.warehouse.take_calls();
    Ok(())
}

pub async fn somebody_hangs() -> Outcome {
    section!("timeout: the warehouse takes an hour");
    CLIENT.warehouse.set(Mood::Slow(Duration::from_secs(3_600)));
    say!("{}", text(CLIENT.inspect(7).await));
    CLIENT.warehouse.set(Mood::Fine);
    CLIENT.warehouse.take_calls();
    Ok(())
}

pub async fn an_operator_steps_in() -> Outcome {
    section!("all six at once, and an operator");
    CLIENT.warehouse.set(Mood::Failing(1));
    let ends = at_once(50, |item| CLIENT.order(item % 5 + 1)).await?;
    let calls = CLIENT.warehouse.take_calls();
    say!("{} orders for 5 items, one line that dropped: {calls} calls of the warehouse", ends.good);

    policies().force("warehouse_orders", Forced::Open)?;
    let kept = CLIENT.order(1).await;
    let new = CLIENT.order(6).await;
    say!("the breaker is held open: what is cached is {}, what is not is {}", text(kept), text(new));
    policies().force("warehouse_orders", Forced::Released)?;

    let settings = serde_json::json!({ "limit": 1 });
    policies().change("order", PolicyKind::RateLimited, settings.as_object().ok_or("no object")?)?;
    say!("the limit is one a minute from now on: {}", text(CLIENT.order(7).await));
    policies().reset("order", Some(PolicyKind::RateLimited))?;
    say!("and as annotated again: {}", text(CLIENT.order(8).await));
    CLIENT.warehouse.take_calls();
    Ok(())
}

fn text(end: Result<u64, WarehouseError>) -> String {
    match end {
        Ok(_) => "answered".to_owned(),
        Err(WarehouseError::Refused(it)) => match it.kind {
            RefusedKind::RateLimited => "refused by the limit".to_owned(),
            RefusedKind::CircuitOpen => "refused by the breaker".to_owned(),
            RefusedKind::TimedOut => "given up after 50 ms".to_owned(),
            _ => it.to_string(),
        },
        Err(error) => error.to_string(),
    }
}
