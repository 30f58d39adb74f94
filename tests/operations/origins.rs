//! Where a task comes from: what a body submits comes from its task.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::{App, Origin, Schedule, SubmitError, Task, TaskContext, TaskId, TaskRecord, task};

use crate::support::{all, builder_with, echo, nap, pass, secs};

type Ids = Arc<Mutex<Vec<TaskId>>>;

async fn submit(app: &App, ids: &Ids) -> Result<(), SubmitError> {
    let handle = app.submit(nap { millis: 0 }).await?;
    ids.lock().unwrap().push(handle.id());
    Ok(())
}

/// Submits at its first poll, after a wait, from a child, inline, and with an origin of its own.
#[task]
async fn parent(#[inject] app: App, #[inject] ids: Ids, #[inject] context: TaskContext) -> Result<(), SubmitError> {
    submit(&app, &ids).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    submit(&app, &ids).await?;
    let (child_app, child_ids) = (app.clone(), ids.clone());
    let (done, wait) = tokio::sync::oneshot::channel();
    context.spawn(async move {
        submit(&child_app, &child_ids).await.unwrap();
        done.send(()).unwrap();
    });
    wait.await.unwrap();
    app.execute(inline {}).await.unwrap();
    let mut own = Origin::default();
    own.request_id = Some("its own".to_owned());
    let handle = app.submit(nap { millis: 0 }).origin(own).await?;
    ids.lock().unwrap().push(handle.id());
    Ok(())
}

#[task]
async fn inline(#[inject] app: App, #[inject] ids: Ids) -> Result<(), SubmitError> {
    submit(&app, &ids).await
}

#[task]
fn on_a_thread(#[inject] app: App, #[inject] ids: Ids) -> Result<(), SubmitError> {
    tokio::runtime::Handle::current().block_on(submit(&app, &ids))
}

async fn start(ids: &Ids) -> App {
    let tasks = [parent::definition(), inline::definition(), on_a_thread::definition()];
    let app = builder_with(tasks).provide(ids.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

async fn taken(app: &App, ids: &Ids) -> Vec<TaskRecord> {
    let mut records = Vec::new();
    let ids = std::mem::take(&mut *ids.lock().unwrap());
    for id in ids {
        records.push(app.tasks().get(id).await.unwrap().unwrap());
    }
    records
}

#[tokio::test(start_paused = true)]
async fn what_a_body_submits_comes_from_its_task() {
    let ids = Ids::default();
    let app = start(&ids).await;
    let mut origin = Origin::default();
    origin.request_id = Some("r-1".to_owned());
    origin.traceparent = Some("00-1-2-01".to_owned());
    origin.owner = Some("ada".to_owned());
    let first = app.submit(parent {}).origin(origin.clone()).await.unwrap();
    // Beside another one without an origin: neither takes the other's.
    let second_ids = Ids::default();
    let other = start(&second_ids).await;
    let second = other.submit(parent {}).await.unwrap();
    first.result().await.unwrap();
    second.result().await.unwrap();
    origin.parent = Some(first.id());
    let records = taken(&app, &ids).await;
    assert_eq!(records.len(), 5);
    for record in &records[..4] {
        assert_eq!(record.origin(), Some(&origin));
    }
    origin.request_id = Some("its own".to_owned());
    assert_eq!(records[4].origin(), Some(&origin), "what is said is what holds");
    for record in &taken(&other, &second_ids).await[..4] {
        let mut expected = Origin::default();
        expected.parent = Some(second.id());
        assert_eq!(record.origin(), Some(&expected));
    }
    let outside = app.submit(echo { text: "x".into() }).await.unwrap();
    assert_eq!(app.tasks().get(outside.id()).await.unwrap().unwrap().origin(), None);
}

#[tokio::test(start_paused = true)]
async fn so_it_is_on_threads_and_at_ticks() {
    let ids = Ids::default();
    let app = start(&ids).await;
    let parent = app.submit(on_a_thread {}).await.unwrap();
    parent.result().await.unwrap();
    assert_eq!(taken(&app, &ids).await[0].origin().unwrap().parent, Some(parent.id()));
    // An inline run has no record that could be named.
    app.execute(on_a_thread {}).await.unwrap();
    assert_eq!(taken(&app, &ids).await[0].origin(), None);
    let every = Schedule::every(secs(60)).unwrap();
    app.tasks().schedules().put("tick", every, inline {}).await.unwrap();
    pass(secs(61)).await;
    let child = &taken(&app, &ids).await[0];
    let origin = child.origin().unwrap();
    assert_eq!(origin.schedule, None, "a child is no tick");
    let parents = all(&app, ddd_core::Filter::all().name("inline")).await;
    assert_eq!(parents[0].origin().unwrap().schedule.as_deref(), Some("tick"));
    assert_eq!(origin.parent, Some(parents[0].id));
}
