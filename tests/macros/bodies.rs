//! What a worker gets when it runs a definition's body.

use std::{fmt, sync::Arc};

use ddd_core::{Classify, ErrorKind, Task, TaskContext, TaskError, domain::FailureKind, ports::FailureOutcome, task};

use crate::support::{Provided, Recorded, run, run_attempt, text};

#[task]
async fn add(mut a: u32, b: u32) -> Result<u32, String> {
    a = a.checked_add(b).ok_or("too much")?;
    Ok(a)
}

#[task]
fn add_blocking(a: u32, b: u32) -> Result<u32, String> {
    a.checked_add(b).ok_or_else(|| "too much".to_owned())
}

#[task]
async fn unit(_a: u32) {}

#[derive(Debug, Clone)]
struct Storage(Vec<u8>);

#[derive(Debug)]
struct Unclonable(u8);

trait Greeter: Send + Sync {
    fn greet(&self) -> String;
}

struct Polite;

impl Greeter for Polite {
    fn greet(&self) -> String {
        "good day".to_owned()
    }
}

#[task]
async fn inject(
    #[inject] storage: Storage,
    a: u8,
    #[inject] unclonable: &Unclonable,
    #[inject] greeter: &Arc<dyn Greeter>,
    #[inject] context: TaskContext,
    #[inject] borrowed: &TaskContext,
) -> Result<String, String> {
    std::future::ready(()).await;
    context.progress(0.5, "half");
    Ok(format!("{} {a} {} {} {}", storage.0.len(), unclonable.0, greeter.greet(), borrowed.info().name))
}

#[task]
fn inject_blocking(#[inject] unclonable: &Unclonable, #[inject] storage: &Storage) -> Result<usize, String> {
    Ok(usize::from(unclonable.0) + storage.0.len())
}

#[derive(Debug)]
struct Refusal(ErrorKind);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refusal {}

impl Classify for Refusal {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

type Aliased<T> = Result<T, Refusal>;

#[task]
async fn classified(permanent: bool) -> Result<(), Refusal> {
    Err(Refusal(if permanent { ErrorKind::Invalid } else { ErrorKind::Unavailable }))
}

#[task]
async fn classified_by_alias() -> Aliased<u8> {
    Err(Refusal(ErrorKind::NotFound))
}

#[task]
fn classified_blocking() -> Aliased<u8> {
    Err(Refusal(ErrorKind::NotFound))
}

#[task]
async fn decided(permanent: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err(if permanent { TaskError::permanent("no use").into() } else { "again".into() })
}

#[task]
async fn unwritable() -> Result<std::collections::BTreeMap<(u8, u8), u8>, String> {
    Ok([((1, 2), 3)].into())
}

#[task]
async fn same_names(call: u8, params: u8, same_names: u8, it: u8, failure: u8) -> Result<u8, String> {
    Ok(call + params + same_names + it + failure)
}

#[tokio::test]
async fn the_function_is_still_a_function() {
    assert_eq!(add(1, 2).await.unwrap(), 3);
    assert_eq!(add_blocking(1, 2).unwrap(), 3);
    unit(1).await;
}

#[tokio::test]
async fn a_result_is_json_and_unit_is_none() {
    assert_eq!(text(run::<add>(r#"{"a":1,"b":2}"#, Provided::default()).await), "3");
    assert_eq!(text(run::<add_blocking>(r#"{"b":2,"a":1}"#, Provided::default()).await), "3");
    assert!(run::<unit>(r#"{"a":1}"#, Provided::default()).await.is_err());
    assert!(run::<unit>(r#"{"_a":1}"#, Provided::default()).await.unwrap().is_none());
    let params = r#"{"call":1,"params":2,"same_names":3,"it":4,"failure":5}"#;
    assert_eq!(text(run::<same_names>(params, Provided::default()).await), "15");
}

#[tokio::test]
async fn stored_parameters_that_do_not_fit_fail_for_good() {
    for failure in [
        run::<add>(r#"{"a":1,"b":"x"}"#, Provided::default()).await.unwrap_err(),
        run::<add_blocking>(r#"{"a":1,"b":"x"}"#, Provided::default()).await.unwrap_err(),
    ] {
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Undecodable, FailureOutcome::Permanent));
        assert!(failure.message.contains("`b`"), "{}", failure.message);
    }
}

#[tokio::test]
async fn dependencies_come_by_value_by_reference_and_from_the_attempt() {
    let provided = || {
        Provided::default().with(Storage(vec![1, 2, 3])).with(Unclonable(9)).with::<Arc<dyn Greeter>>(Arc::new(Polite))
    };
    let attempt = Recorded::new(inject::definition());
    let result = run_attempt::<inject>(r#"{"a":4}"#, provided(), attempt.clone()).await;
    assert_eq!(text(result), r#""3 4 9 good day inject""#);
    assert_eq!(*attempt.progress.lock().unwrap(), [(0.5, "half".to_owned())]);
    assert_eq!(text(run::<inject_blocking>("{}", provided()).await), "12");
}

#[tokio::test]
async fn a_missing_dependency_is_named() {
    let failure = run::<inject_blocking>("{}", Provided::default().with(Unclonable(1))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dependency);
    assert!(failure.message.contains("Storage"), "{}", failure.message);
}

#[tokio::test]
async fn the_kind_of_an_error_decides_whether_it_is_retried() {
    let outcome = |it: ddd_core::ports::BodyResult| it.unwrap_err().outcome;
    let permanent = run::<classified>(r#"{"permanent":true}"#, Provided::default()).await;
    assert_eq!(outcome(permanent), FailureOutcome::Permanent);
    let passing = run::<classified>(r#"{"permanent":false}"#, Provided::default()).await;
    assert_eq!(outcome(passing), FailureOutcome::Retry);
    assert_eq!(outcome(run::<classified_by_alias>("{}", Provided::default()).await), FailureOutcome::Permanent);
    assert_eq!(outcome(run::<classified_blocking>("{}", Provided::default()).await), FailureOutcome::Permanent);
}

#[tokio::test]
async fn the_body_decides_through_a_boxed_error() {
    let failure = run::<decided>(r#"{"permanent":true}"#, Provided::default()).await.unwrap_err();
    assert_eq!((failure.outcome, failure.message.as_str()), (FailureOutcome::Permanent, "permanent failure: no use"));
    let failure = run::<decided>(r#"{"permanent":false}"#, Provided::default()).await.unwrap_err();
    assert_eq!((failure.outcome, failure.message.as_str()), (FailureOutcome::Retry, "again"));
}

#[tokio::test]
async fn a_result_that_cannot_be_written_fails_for_good() {
    let failure = run::<unwritable>("{}", Provided::default()).await.unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Result, FailureOutcome::Permanent));
}
