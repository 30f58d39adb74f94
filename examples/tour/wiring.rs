//! What tasks need, what is kept from view, and what is done around every body.

use std::{path::PathBuf, time::Instant};

use ddd_core::{App, Factory, TaskContext, task};

use crate::{Outcome, builder, start};

/// Provided by value: one for all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Greeting(pub &'static str);

/// Made anew for each attempt: a folder of its own, removed afterwards.
#[derive(Debug)]
pub struct Workspace(PathBuf);

/// How a workspace is made, and taken down.
pub fn workspace() -> Factory<Workspace> {
    Factory::new(|context: TaskContext| async move {
        let path = std::env::temp_dir().join(format!("tour-{}", context.id()));
        tokio::fs::create_dir_all(&path).await?;
        Ok(Workspace(path))
    })
    .teardown(|workspace| async move {
        let removed = tokio::fs::remove_dir_all(&workspace.0).await.is_ok();
        say!("the workspace was removed: {removed}");
    })
}

/// Writes a greeting into a workspace.
#[task]
async fn greet(name: String, #[inject] greeting: Greeting, #[inject] workspace: &Workspace) -> std::io::Result<String> {
    let file = workspace.0.join("greeting.txt");
    tokio::fs::write(&file, format!("{}, {name}!", greeting.0)).await?;
    tokio::fs::read_to_string(&file).await
}

/// Logs a user in.
#[task]
async fn log_in(user: String, #[secret] password: String) -> Result<usize, String> {
    Ok(user.len() + password.len())
}

/// Always fails.
#[task]
async fn fail() -> Result<(), String> {
    Err("nothing to be done".to_owned())
}

pub async fn show() -> Outcome {
    section!("Dependencies, by value and by factory with teardown");
    let app = start(builder()).await?;
    let written = app.submit(greet { name: "world".to_owned() }).await?.result().await?;
    say!("read from the workspace: {written}");
    app.shutdown(std::time::Duration::from_secs(1)).await;

    section!("Wiring is checked before anything runs, all problems at once");
    let incomplete = App::builder().slots(0).provide(Greeting("Hi")).provide(Greeting("Ho"));
    if let Err(error) = incomplete.build().await {
        for line in error.to_string().lines() {
            say!("{line}");
        }
    }

    section!("Secrets are stored as they are, and shown as ***");
    let app = start(builder()).await?;
    let task = log_in { user: "ada".to_owned(), password: "correct horse".to_owned() };
    say!("as data: {task:?}");
    let handle = app.submit(task).await?;
    let length = handle.result().await?;
    let record = handle.record().await?.ok_or("its record is gone")?;
    say!("in its record: {}, and yet the body had all {length} characters", record.params);

    section!("Hooks: around every body, and on failure");
    let around = builder().around(|context, body| {
        Box::pin(async move {
            let began = Instant::now();
            let result = body.await;
            say!("{} took {} µs, ok: {}", context.info().name, began.elapsed().as_micros(), result.is_ok());
            result
        })
    });
    let app = start(around.on_failure(|it| say!("{} failed: {}", it.name, it.error.message))).await?;
    let _ = app.submit(fail {}).await?.result().await;
    app.shutdown(std::time::Duration::from_secs(1)).await;
    Ok(())
}
