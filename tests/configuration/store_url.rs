//! `store.url`: which store tasks are kept in.

use ddd_core::{App, AppBuilder, BuildError, MemoryStore, Task, task};

use crate::support::Folder;

#[task]
async fn noted() {}

fn configured(folder: &Folder, url: &str) -> AppBuilder {
    let configuration = folder.builder().set("store.url", url).load().unwrap();
    App::builder().definitions([noted::definition()]).configuration(&configuration)
}

async fn kind(builder: AppBuilder) -> &'static str {
    builder.build().await.unwrap().store().kind()
}

#[tokio::test]
async fn it_acts_and_code_beats_it() {
    let folder = Folder::new();
    let file = format!("sqlite:{}", folder.path().join("tasks.db").display());
    assert_eq!(kind(configured(&folder, "memory:")).await, "memory");
    assert_eq!(kind(configured(&folder, &file)).await, "sqlite");
    assert_eq!(kind(configured(&folder, &file).store_url("memory:")).await, "memory");
    assert_eq!(kind(configured(&folder, &file).store(MemoryStore::new())).await, "memory");
    assert_eq!(kind(App::builder().definitions([noted::definition()]).store_url(&file)).await, "sqlite");
    // What was submitted to a file is there when it is opened again.
    let app = configured(&folder, &file).build().await.unwrap();
    let id = app.submit(noted {}).await.unwrap().id();
    drop(app);
    let app = configured(&folder, &file).build().await.unwrap();
    assert!(app.tasks().get(id).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told() {
    let cases = [
        ("memroy:", "there is no store for `memroy:`; did you mean `memory:`?"),
        ("mysql://me:hunter2@db/x", "there is no store for `mysql:`; write `memory:` or "),
        ("tasks.db", "this is no URL of a store; write `memory:` or "),
        ("memory:tasks", "there is nothing to say about a store in memory; write `memory:`"),
        ("sqlite:", "an SQLite store needs a file; write `sqlite:tasks.db`"),
        ("sqlite:a.db?durabilty=full", "option `durabilty` is unknown; did you mean `durability`?"),
        ("sqlite:a.db?colour=red", "option `colour` is unknown; there are `durability`, "),
        ("postgres://h/d?conections=3", "the URL has no parameter `conections`; did you mean `connections`?"),
        ("postgres:/bad", "this is no URL of PostgreSQL; write `postgres://user:password@host/database`"),
    ];
    for (url, expected) in cases {
        let folder = Folder::new();
        let error = configured(&folder, url).build().await.unwrap_err();
        let told = format!("{error:#}");
        assert_eq!(format!("{error:?}"), told, "a `main` that returns the error prints it so");
        assert!(told.contains(expected), "{url}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let folder = Folder::new().file("default.yaml", "app:\n  name: x\nstore:\n  url: sqlitee:tasks.db\n");
    let configuration = folder.builder().load().unwrap();
    let error = App::builder().configuration(&configuration).build().await.unwrap_err();
    let BuildError::Wiring(problems) = error else { panic!("{error}") };
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("default.yaml:4: `store.url`: there is no store for `sqlitee:`; did you mean `sqlite:`?"),
        "{problems:?}"
    );
}
