//! A worker's part, in small: an attempt, and calls of bodies.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use ddd_core::{
    Task, TaskContext,
    domain::{Name, TaskId, Timestamp},
    ports::{Attempt, AttemptInfo, Body, BodyResult, BoxFuture, Call, Definition, Dependencies},
};
use serde_json::value::RawValue;

/// An attempt that remembers what its body reported.
pub(crate) struct Recorded {
    info: AttemptInfo,
    pub(crate) progress: Mutex<Vec<(f64, String)>>,
    pub(crate) cancelled: AtomicBool,
}

impl Recorded {
    pub(crate) fn new(definition: &Definition) -> Arc<Self> {
        let now = Timestamp::from_micros(1_000_000);
        let info = AttemptInfo::new(TaskId::from_parts(now, 0, 7), Name::new(definition.name), now);
        Arc::new(Self { info, progress: Mutex::default(), cancelled: AtomicBool::new(false) })
    }
}

impl Attempt for Recorded {
    fn info(&self) -> &AttemptInfo {
        &self.info
    }

    fn progress(&self, fraction: f64, message: String) {
        self.progress.lock().unwrap().push((fraction, message));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn cancelled(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, child: BoxFuture<'static, ()>) {
        drop(child);
    }
}

/// What an application would provide.
#[derive(Default)]
pub(crate) struct Provided(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Provided {
    pub(crate) fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }
}

pub(crate) fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// Runs the body of `T` on these parameters, as a worker would.
pub(crate) async fn run<T: Task>(params: &str, provided: Provided) -> BodyResult {
    run_attempt::<T>(params, provided, Recorded::new(T::definition())).await
}

/// The same in a given attempt.
pub(crate) async fn run_attempt<T: Task>(params: &str, provided: Provided, attempt: Arc<Recorded>) -> BodyResult {
    let call = Call::new(Arc::from(json(params)), TaskContext::new(attempt), Dependencies::new(provided.0));
    match T::definition().body {
        Body::Async(body) => body(call).await,
        Body::Blocking(body) => body(call),
        _ => panic!("a remote task has no body"),
    }
}

/// The result of a successful run.
pub(crate) fn text(result: BodyResult) -> String {
    result.unwrap().map_or_else(|| "null".to_owned(), |it| it.get().to_owned())
}

/// A context to call functions with.
pub(crate) fn context() -> TaskContext {
    #[ddd_core::task]
    async fn any() {}
    drop(any());
    TaskContext::new(Recorded::new(any::definition()))
}
