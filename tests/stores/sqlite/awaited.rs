//! Where submissions are awaited: anywhere.

use std::{future::IntoFuture as _, thread, time::Duration};

use ddd_core::{App, SqliteStore, Task as _, task};
use tokio::sync::oneshot;

use super::Folder;
use crate::parked::block_on;

#[task("awaited_in_a_file")]
async fn noted() {}

#[tokio::test]
async fn a_submission_is_answered_where_there_is_no_runtime() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    let builder = App::builder().definitions([noted::definition()]).store(store);
    let app = builder.submit_only().build().await.unwrap();
    let (answer, answered) = oneshot::channel();
    // A thread of the runtime's own would have it at hand.
    thread::spawn({
        let app = app.clone();
        move || answer.send(block_on(app.submit(noted {}).into_future()).map(drop))
    });
    tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap().unwrap().unwrap();
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 1);
}
