//! The six function policies against a dependency that fails, hangs and is overrun: `cargo run --example resilience`.
//!
//! Read `client.rs` first: it is what a service would contain. `warehouse.rs` is the dependency, `scenes.rs` makes it misbehave.
//! Nothing of the output is written beforehand: all of it is what happened.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]

#[macro_use]
mod say;
mod client;
mod figures;
mod scenes;
mod warehouse;

/// How a scene ends.
type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    scenes::a_thousand_ask_for_the_same().await?;
    scenes::too_many_ask_for_different_things().await?;
    scenes::the_line_drops_now_and_then().await?;
    scenes::the_warehouse_is_down().await?;
    scenes::everybody_comes_at_once().await?;
    scenes::somebody_hangs().await?;
    scenes::an_operator_steps_in().await?;
    figures::show();
    Ok(())
}
