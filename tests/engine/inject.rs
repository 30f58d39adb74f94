//! What bodies are given: values, and what factories make for each attempt; and what they tell of their progress.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::{BuildError, Factory, Task, TaskContext, TaskStatus, task};

use crate::support::{record, virtual_app};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct First(u32);
struct Second;

#[task(timeout = "5s", retry(max_attempts = 2, delay = "1s", jitter = false))]
async fn works(
    how: String,
    #[inject] first: &First,
    #[inject] _second: &Second,
    #[inject] log: Log,
    #[inject] context: TaskContext,
) -> Result<u32, String> {
    log.note("body");
    match how.as_str() {
        "fails" => Err("failed".to_owned()),
        "hangs" => {
            std::future::pending::<()>().await;
            Ok(0)
        }
        "panics" => panic!("boom"),
        _ => Ok(first.0 * 10 + context.attempt()),
    }
}

async fn app(log: &Log) -> ddd_core::App {
    let logs = [log.clone(), log.clone(), log.clone(), log.clone()];
    let [make_first, end_first, make_second, end_second] = logs;
    let first = Factory::new(move |context: TaskContext| {
        make_first.note("make first");
        async move { Ok(First(context.attempt())) }
    })
    .teardown(move |_| {
        let log = end_first.clone();
        async move { log.note("end first") }
    });
    let second = Factory::new(move |_| {
        make_second.note("make second");
        async { Ok(Second) }
    })
    .teardown(move |_| {
        let log = end_second.clone();
        async move { log.note("end second") }
    });
    let definitions = [works::definition()];
    let builder = virtual_app(&definitions).provide(log.clone()).provide_with(first).provide_with(second);
    let app = builder.slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

const ONE_ATTEMPT: [&str; 5] = ["make first", "make second", "body", "end second", "end first"];

#[tokio::test(start_paused = true)]
async fn factories_serve_each_attempt_and_are_taken_down_last_first() {
    let log = Log::default();
    let app = app(&log).await;
    for (how, attempts) in [("succeeds", 1), ("fails", 2), ("hangs", 2), ("panics", 2)] {
        let handle = app.submit(works { how: how.to_owned() }).await.unwrap();
        let result = handle.result().await;
        assert_eq!(result.ok(), (how == "succeeds").then_some(11), "{how}");
        // The end is recorded first; the next task in the only slot starts after the teardown.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(log.taken(), ONE_ATTEMPT.repeat(attempts), "{how}");
    }
    let handle = app.submit(works { how: "hangs".to_owned() }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    handle.cancel().await.unwrap();
    assert!(handle.result().await.is_err());
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(log.taken(), ONE_ATTEMPT, "cancelled");
    assert_eq!(app.execute(works { how: "succeeds".to_owned() }).await.unwrap(), 11);
    assert_eq!(log.taken(), ONE_ATTEMPT, "inline");
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_fails_the_attempt_and_takes_down_what_was_made() {
    let log = Log::default();
    let (noted, made) = (log.clone(), log.clone());
    let first = Factory::new(|_| async { Ok(First(1)) }).teardown(move |_| {
        let log = noted.clone();
        async move { log.note("end first") }
    });
    let second = Factory::<Second>::new(move |context: TaskContext| {
        made.note(format!("attempt {}", context.attempt()));
        async { Err("the disk is full".into()) }
    });
    let builder = virtual_app(&[works::definition()]).provide(log.clone());
    let app = builder.provide_with(first).provide_with(second).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(works { how: "succeeds".to_owned() }).await.unwrap();
    let error = handle.result().await.unwrap_err().to_string();
    assert!(error.contains("Second") && error.ends_with("the disk is full"), "{error}");
    assert_eq!(log.taken(), ["attempt 1", "end first", "attempt 2", "end first"]);
}

#[tokio::test(start_paused = true)]
async fn missing_dependencies_are_found_before_anything_runs() {
    let Err(BuildError::Wiring(problems)) = virtual_app(&[works::definition()]).build().await else {
        panic!("nothing is provided")
    };
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems.iter().all(|it| it.contains("`works` at ") && it.contains("inject.rs:")), "{problems:#?}");
    virtual_app(&[works::definition()]).submit_only().build().await.unwrap();
}

#[task]
async fn reports(#[inject] context: TaskContext) {
    for (fraction, text) in [(0.25, "first"), (f64::NAN, "nonsense"), (7.0, "last")] {
        context.progress(fraction, text);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn progress_shows_in_the_record_and_in_the_stream() {
    let app = virtual_app(&[reports::definition()]).build().await.unwrap();
    let mut transitions = app.tasks().transitions();
    app.start_workers().await.unwrap();
    let handle = app.submit(reports {}).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let progress = record(&app, handle.id()).await.progress.unwrap();
    assert_eq!((progress.fraction, progress.message.as_str()), (0.25, "first"));
    handle.result().await.unwrap();
    let mut seen = Vec::new();
    while let Some(transition) = transitions.try_next().unwrap() {
        if let Some(progress) = &transition.progress {
            assert_eq!((transition.from, transition.to), (Some(TaskStatus::Running), TaskStatus::Running));
            seen.push((progress.fraction, progress.message.clone()));
        }
    }
    assert_eq!(seen, [(0.25, "first".to_owned()), (0.0, "nonsense".to_owned()), (1.0, "last".to_owned())]);
}
