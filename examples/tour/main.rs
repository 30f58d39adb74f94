//! Every capability of the engine in a few lines each, with its output: `cargo run --example tour`.
//!
//! Read the sections in the order of `main`. Nothing of the output is written beforehand: all of it is what happened.

#![allow(missing_docs, unreachable_pub, reason = "a program has no public interface")]

#[macro_use]
mod say;
mod ending;
mod failing;
mod limits;
mod scheduling;
mod stopping;
mod submitting;
mod watching;
mod wiring;

use ddd_core::{App, AppBuilder, TaskId, TaskStatus, Transition, Transitions};

/// How a section ends.
type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    submitting::show().await?;
    failing::show().await?;
    stopping::show().await?;
    limits::show().await?;
    wiring::show().await?;
    watching::show().await?;
    scheduling::show().await?;
    ending::show().await?;
    Ok(())
}

/// A builder with all that the tasks of this program need.
fn builder() -> AppBuilder {
    App::builder()
        .provide(limits::Gauge::default())
        .provide(wiring::Greeting("Hello"))
        .provide_with(wiring::workspace())
}

/// An application with all that the tasks of this program need, and its worker.
async fn start(builder: AppBuilder) -> Result<App, ddd_core::BuildError> {
    let app = builder.build().await?;
    app.start_workers().await?;
    Ok(app)
}

/// Waits until the task goes to this status.
async fn until(transitions: &mut Transitions, id: TaskId, status: TaskStatus) -> Result<Transition, ddd_core::Lagged> {
    loop {
        let transition = transitions.next().await?;
        if transition.id == id && transition.to == status && transition.from != Some(status) {
            return Ok(transition);
        }
    }
}
