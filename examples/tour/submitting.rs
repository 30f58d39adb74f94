//! How work gets in, and in which order it runs.

use std::collections::HashMap;

use ddd_core::{App, Priority, TaskStatus, task};
use serde_json::json;

use crate::{Outcome, builder, start, until};

/// Adds two numbers.
#[task(category = "arithmetic", tags("numbers"))]
async fn add(left: i64, right: i64) -> Result<i64, String> {
    left.checked_add(right).ok_or_else(|| format!("{left} + {right} is too large"))
}

/// Adds many numbers, by tasks of its own.
#[task(category = "arithmetic")]
async fn sum(numbers: Vec<i64>, #[inject] app: App) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    let mut total = 0;
    for right in numbers {
        total = app.submit(add { left: total, right }).await?.result().await?;
    }
    Ok(total)
}

/// Does nothing, in its turn.
#[task]
async fn step() {}

pub async fn show() -> Outcome {
    submit().await?;
    order().await?;
    delay().await
}

async fn submit() -> Outcome {
    section!("Submit and await");
    let app = start(builder()).await?;
    let handle = app.submit(add { left: 2, right: 3 }).await?;
    say!("task {} yields {}", handle.id(), handle.result().await?);
    say!("the function is still one: {}", add(2, 3).await?);
    say!("here and now, without a record: {}", app.execute(add { left: 20, right: 30 }).await?);
    let many = app.submit_many((1..=3).map(|it| add { left: it, right: it })).await?;
    for handle in many {
        let handle = handle?;
        say!("one of many: {}", handle.result().await?);
    }
    let named = app.submit_named("add", json!({ "left": 40, "right": 2 })).await?;
    say!("by name, in JSON: {}", named.result().await?);
    let by_tasks = app.submit(sum { numbers: vec![1, 2, 3, 4] }).await?.result().await?;
    say!("a task that submits tasks: {by_tasks}");
    for (name, params) in
        [("ads", json!({})), ("add", json!({ "left": 1, "right": "two" })), ("add", json!({ "up": 1 }))]
    {
        if let Err(error) = app.submit_named(name, &params).await {
            let cause = std::error::Error::source(&error).map(|it| format!(": {it}")).unwrap_or_default();
            say!("refused: {error}{cause}");
        }
    }
    Ok(())
}

async fn order() -> Outcome {
    section!("Priorities: -10 to 10, larger first, first in first out among equals");
    let app = builder().slots(1).build().await?;
    let mut transitions = app.tasks().transitions();
    let mut levels = HashMap::new();
    let mut last = None;
    let submitted = [0, -10, 5, 10, 0];
    for level in submitted {
        let handle = app.submit(step {}).priority(level).await?;
        levels.insert(handle.id(), level);
        last = Some(handle);
    }
    say!("submitted: {}", submitted.map(|it| it.to_string()).join(", "));
    if let Some(last) = last {
        app.tasks().reprioritise(last.id(), Priority::clamped(7)).await?;
        levels.insert(last.id(), 7);
        say!("the last of them was then given 7");
    }
    app.start_workers().await?;
    let mut started = Vec::new();
    while started.len() < levels.len() {
        let transition = transitions.next().await?;
        if transition.to == TaskStatus::Running {
            started.push(levels[&transition.id].to_string());
        }
    }
    say!("started:   {}", started.join(", "));
    Ok(())
}

async fn delay() -> Outcome {
    section!("Delay");
    let app = start(builder()).await?;
    let mut transitions = app.tasks().transitions();
    let handle = app.submit(step {}).delay("150ms").await?;
    say!("after its submission it is {}", handle.status().await?.map_or("gone", TaskStatus::as_str));
    let submitted = handle.record().await?.map(|it| it.created_at).unwrap_or_default();
    let started = until(&mut transitions, handle.id(), TaskStatus::Running).await?;
    say!("it started {} ms later", started.at.since(submitted).as_millis());
    Ok(())
}
