//! What follows a failure.

use std::time::Duration;

use ddd_core::{Classify, ErrorKind, TaskContext, TaskError, TaskRecord, task};

use crate::{Outcome, builder, start};

/// Fails so many times, then succeeds.
#[task(retry(max_attempts = 4, delay = "20ms", backoff = 2.0, jitter = false))]
async fn flaky(failures: u32, #[inject] context: TaskContext) -> Result<u32, String> {
    match context.attempt() {
        attempt if attempt <= failures => Err(format!("attempt {attempt} met a bad connection")),
        attempt => Ok(attempt),
    }
}

/// Decides by itself what follows.
#[task(retry(max_attempts = 3, delay = "10ms"))]
async fn decide(how: String, #[inject] context: TaskContext) -> Result<(), TaskError> {
    // The fence grows with every claim, attempts only with those that count.
    let is_first_claim = context.fence().get() == 1;
    match how.as_str() {
        "permanent" => Err(TaskError::permanent("the address does not exist")),
        "cancel" => Err(TaskError::cancel("the order was withdrawn")),
        "retry_after" if is_first_claim => Err(TaskError::retry_after(Duration::from_millis(30))),
        "snooze" if is_first_claim => Err(TaskError::snooze(Duration::from_millis(30))),
        _ => Ok(()),
    }
}

/// Why a payment failed.
#[derive(Debug, thiserror::Error)]
enum PaymentError {
    #[error("the card was refused")]
    CardRefused,
    #[error("the bank is away")]
    BankAway,
}

impl Classify for PaymentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CardRefused => ErrorKind::Invalid,
            Self::BankAway => ErrorKind::Unavailable,
        }
    }
}

/// Pays; what its errors are decides whether it tries again.
#[task(retry(max_attempts = 3, delay = "10ms"))]
async fn pay(amount: u32) -> Result<(), PaymentError> {
    Err(if amount > 1_000 { PaymentError::CardRefused } else { PaymentError::BankAway })
}

/// Panics.
#[task]
async fn divide(by: u32) -> Result<u32, String> {
    Ok(100 / by)
}

pub async fn show() -> Outcome {
    let app = start(builder()).await?;

    section!("Retry with backoff, stored as a due time: no slot sleeps");
    let handle = app.submit(flaky { failures: 3 }).await?;
    let succeeded = handle.result().await?;
    let record = handle.record().await?.ok_or("its record is gone")?;
    let mut before = record.created_at;
    for error in &record.errors {
        say!("{:>3} ms later: {}", error.at.since(before).as_millis(), error.message);
        before = error.at;
    }
    let after = record.finished_at.unwrap_or_default().since(before);
    say!("{:>3} ms later: success at attempt {succeeded}", after.as_millis());

    section!("A body decides: TaskError, through any error that wraps it");
    for how in ["permanent", "retry_after", "snooze", "cancel"] {
        let handle = app.submit(decide { how: how.to_owned() }).await?;
        let result = handle.result().await;
        let record = handle.record().await?.ok_or("its record is gone")?;
        say!("{how:<11} -> {}", ended(&record, result.err()));
    }

    section!("Or its error does, by its kind");
    for amount in [5_000, 10] {
        let handle = app.submit(pay { amount }).await?;
        let result = handle.result().await;
        let record = handle.record().await?.ok_or("its record is gone")?;
        say!("pay {amount:<5} -> {}", ended(&record, result.err()));
    }

    section!("Panics are contained");
    // The program's panic hook is not ours to change; for this one panic it would only be noise.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = app.submit(divide { by: 0 }).await?.result().await;
    std::panic::set_hook(hook);
    if let Err(error) = result {
        say!("{error}");
    }
    say!("the worker goes on: 100 / 4 is {}", app.submit(divide { by: 4 }).await?.result().await?);
    Ok(())
}

fn ended(record: &TaskRecord, error: Option<ddd_core::ResultError>) -> String {
    let why = error.map(|it| format!(" ({it})")).unwrap_or_default();
    let TaskRecord { status, attempt, max_attempts, fence, .. } = record;
    format!("{status} at attempt {attempt} of {max_attempts}, fence {fence}{why}")
}
