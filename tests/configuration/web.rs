//! The settings of a server and its routes.

use std::time::Duration;

use axum::Router;
use ddd_core::{App, UndeclaredSection, testing};
use ddd_web::{Access, Api, ApiSettings, Server, WebSettings};

use crate::support::{Folder, explained};

#[tokio::test]
async fn they_act() {
    let text = "server: {host: 127.0.0.1, port: 0, drain_delay: 0, shutdown_timeout: 1s}\napi:\n  prefix: /tasks-of-mine\n  max_submit_bytes: 1KiB\n  \
                submit_limit: {limit: 2, per: 1h}\nhealth: {timeout: 2s}\n";
    let folder = Folder::new().file("default.yaml", text);
    let configuration = WebSettings::declare(folder.builder()).load().unwrap();
    let web = WebSettings::of(&configuration).unwrap();
    assert_eq!(web.health.timeout, Duration::from_secs(2));
    assert_eq!(explained(&configuration, "server.idle_timeout"), ("75s".to_owned(), "default".to_owned()));
    let app = App::builder().definitions([]).configuration(&configuration).build().await.unwrap();
    let api = Api::new(&app, Access::open()).settings(&web);
    let router: Router = Router::new().nest(web.prefix(), api.routes());
    let listening = Server::new(&app, router.clone()).settings(&web).until(async {}).bind(web.address()).await.unwrap();
    assert_ne!(listening.address().port(), 0);
    listening.run().await;
    let submit = async |bytes: usize| {
        let body = axum::body::Body::from(format!("{{\"task_name\": \"{}\"}}", "x".repeat(bytes)));
        let request =
            axum::http::Request::post("/tasks-of-mine/tasks/submit").header("content-type", "application/json");
        let answer =
            tower::ServiceExt::oneshot(router.clone(), request.header("host", "localhost").body(body).unwrap());
        answer.await.unwrap().status().as_u16()
    };
    assert_eq!(submit(2_000).await, 413);
    let answers = [submit(5).await, submit(5).await, submit(5).await];
    assert_eq!(answers[2], 429, "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn they_need_a_restart() {
    let folder = Folder::new().file("default.yaml", "api: {stream_time: 60s}\n");
    let configuration = WebSettings::declare(folder.builder()).load().unwrap();
    let app = testing::builder().definitions([]).configuration(&configuration).build().await.unwrap();
    std::fs::write(folder.path().join("default.yaml"), "api: {stream_time: 1m}\n").unwrap();
    app.reload().await.unwrap();
    std::fs::write(folder.path().join("default.yaml"), "api: {stream_time: 1m}\nserver:\n  port: 9\n").unwrap();
    let told = folder.told(match &app.reload().await.unwrap_err() {
        ddd_core::ReloadError::Refused(error) => error,
        other => panic!("{other:?}"),
    });
    assert_eq!(
        told,
        [
            "default.yaml:3: `server.port`: it is `8000`, and to become `9` it needs a restart; all else can change without"
        ]
    );
}

#[test]
fn mistakes_are_told() {
    let cases = [
        ("server:\n  port: 70000", "default.yaml:2: `server.port`: "),
        ("server:\n  prot: 1", "default.yaml:2: `server.prot`: there is no such setting; did you mean `port`?"),
        ("server:\n  max_connections: 0", "default.yaml:2: `server.max_connections`: lower than 1"),
        ("server:\n  idle_timeout: 0", "default.yaml:2: `server.idle_timeout`: it is zero; write at least 1ms"),
        ("server:\n  max_header_bytes: 1KiB", "default.yaml:2: `server.max_header_bytes`: lower than 8192"),
        ("api:\n  prefix: api/v1", "default.yaml:2: `api.prefix`: it is no path; write one such as `/api/v1`"),
        ("api:\n  submit_limit: {per: 1s}", "`api.submit_limit.limit`: it is not set anywhere, and has no default"),
        ("health:\n  failed_ratio_limit: 2", "default.yaml:2: `health.failed_ratio_limit`: greater than 1"),
    ];
    for (text, expected) in cases {
        let folder = Folder::new().file("default.yaml", &format!("{text}\n"));
        let told = folder.told(&WebSettings::declare(folder.builder()).load().unwrap_err());
        assert_eq!(told.len(), 1, "{text}: {told:#?}");
        assert!(told[0].contains(expected), "{text}\n  told:     {}\n  expected: {expected}", told[0]);
    }
    let error = WebSettings::of(&Folder::new().builder().load().unwrap()).unwrap_err();
    let expected = "is no section of the configuration; declare it with `.section::<";
    assert!(error.to_string().contains(expected), "{error}");
    let _: UndeclaredSection = error;
    let twice = Folder::new().builder().fixed_section::<ApiSettings>("api").fixed_section::<ApiSettings>("api").load();
    assert!(twice.unwrap_err().to_string().contains("two sections are declared under this name"));
    let framework = Folder::new().builder().fixed_section::<ApiSettings>("tasks").load();
    assert!(framework.unwrap_err().to_string().contains("the framework has a section of this name"));
}
