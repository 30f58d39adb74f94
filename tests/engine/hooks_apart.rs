//! What a failure's hook may do without harm: block, and use the runtime.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ddd_core::{ResultError, Task, TaskStatus, task};

use crate::support::{Gate, real_app, soon};

#[task]
async fn goes_wrong() -> Result<(), String> {
    Err("wrong".to_owned())
}

#[task]
async fn goes_well(number: u32) -> Result<u32, String> {
    Ok(number)
}

/// Blocking, and yet inside the runtime.
#[task]
fn asks_for_the_runtime() -> Result<u32, String> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|it| it.to_string())?;
    Ok(runtime.block_on(async { 7 }))
}

#[tokio::test]
async fn a_hook_that_blocks_holds_nothing_up() {
    let (gate, told) = (Gate::default(), Arc::new(Mutex::new(Vec::new())));
    let (at_the_gate, seen) = (gate.clone(), told.clone());
    let began = Arc::new(AtomicUsize::new(0));
    let begun = began.clone();
    let app = real_app(&[goes_wrong::definition(), goes_well::definition()])
        .on_failure(move |it| {
            begun.fetch_add(1, Ordering::SeqCst);
            at_the_gate.pass();
            seen.lock().unwrap().push((it.id, it.status, tokio::runtime::Handle::try_current().is_ok()));
        })
        .slots(2)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let mut failed = Vec::new();
    for _ in 0..3 {
        let handle = app.submit(goes_wrong {}).await.unwrap();
        assert!(matches!(soon(handle.result()).await, Err(ResultError::Failed(_))));
        failed.push((handle.id(), TaskStatus::Failed, true));
    }
    soon(async {
        while began.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for number in 0..20 {
        let handle = app.submit(goes_well { number }).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), number, "ends are reported while a hook blocks");
    }
    assert!(told.lock().unwrap().is_empty() && began.load(Ordering::SeqCst) == 1, "one failure after the other");
    gate.open();
    soon(app.shutdown(std::time::Duration::from_secs(10))).await;
    assert_eq!(*told.lock().unwrap(), failed, "a shutdown waits for the hooks; they are told in order, in the runtime");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_body_is_inside_the_runtime() {
    let app = real_app(&[asks_for_the_runtime::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    assert_eq!(soon(app.submit(asks_for_the_runtime {}).await.unwrap().result()).await.unwrap(), 7);
    assert_eq!(app.execute(asks_for_the_runtime {}).await.unwrap(), 7);
}
