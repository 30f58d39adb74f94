//! Our store under our engine, as an application would use it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ddd_core::{App, PostgresStore, TaskHandle, task};

use super::protocol::{Queue, SLOTS, body};

#[task]
async fn noop() {
    body();
}

/// Every task's result is stored, and awaited.
pub(crate) struct Ours {
    app: App,
    handles: Mutex<Vec<TaskHandle<()>>>,
}

impl Ours {
    fn keep(&self, handles: impl IntoIterator<Item = TaskHandle<()>>) {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).extend(handles);
    }
}

impl Queue for Ours {
    async fn set_up(url: &str) -> Self {
        let store = PostgresStore::options().connect(url).await.expect("the server answers");
        let app = App::builder().store(store).slots(SLOTS).build().await.expect("the wiring is right");
        Self { app, handles: Mutex::default() }
    }

    async fn submit(&self) {
        self.keep([self.app.submit(noop {}).await.expect("the task is taken")]);
    }

    async fn submit_many(&self, tasks: usize) {
        let answers = self.app.submit_many((0..tasks).map(|_| noop {})).await.expect("the store answers");
        self.keep(answers.into_iter().map(|it| it.expect("the task is taken")));
    }

    async fn start(&mut self) {
        self.app.start_workers().await.expect("the worker starts");
    }

    async fn ended(&mut self, _tasks: usize) {
        let handles = std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner));
        for handle in handles {
            handle.result().await.expect("the task succeeded");
        }
    }

    async fn stop(self) {
        self.app.shutdown(Duration::from_secs(1)).await;
    }
}
