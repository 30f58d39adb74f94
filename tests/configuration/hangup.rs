//! SIGHUP in a process of its own: this test program, run again for one test.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "the child speaks to its parent on its output")]

use axum::Router;
use ddd_core::{App, Configuration, Task, task, telemetry::Telemetry};
use ddd_tests::kit::process::Process;

use crate::support::Folder;

const ROLE: &str = "DDD_CONFIGURATION_CHILD";
const FOLDER: &str = "DDD_CONFIGURATION_FOLDER";

#[task]
async fn wave() {}

/// Not a test of its own: what the child does. Without a role it does nothing.
#[test]
fn child() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let builder = Configuration::builder().directory(folder).without_dotenv().profile("test");
        let configuration = builder.environment::<&str, &str>([]).load().unwrap();
        Telemetry::builder().configuration(&configuration).to_stdout().install().unwrap();
        let builder = App::builder().definitions([wave::definition()]).configuration(&configuration);
        let builder = builder.on_reload(|configuration| {
            let slots = configuration.settings().slots;
            let told = move || {
                tracing::debug!("heard of {slots}");
                println!("\nreloaded {slots}");
            };
            if slots == 66 { Err("66") } else { Ok(told) }
        });
        let app = builder.reload_on_hangup().build().await.unwrap();
        if role == "server" {
            let listening = ddd_web::Server::new(&app, Router::new()).bind("127.0.0.1:0").await.unwrap();
            println!("\nready");
            listening.run().await;
        } else {
            // The signals are listened to before anything runs.
            let running = tokio::spawn({
                let app = app.clone();
                async move { app.run().await }
            });
            app.submit(wave {}).await.unwrap().result().await.unwrap();
            println!("\nready");
            running.await.unwrap().unwrap();
        }
        println!("\nended {}", app.configuration().unwrap().settings().slots);
    });
}

fn start(role: &str, folder: &Folder) -> Process {
    Process::start("hangup::child", [(ROLE, role), (FOLDER, folder.path().to_str().unwrap())])
}

#[test]
fn the_configuration_is_read_again_on_sighup() {
    for role in ["run", "server"] {
        let slots = |slots: usize| format!("tasks: {{max_workers: {slots}}}\n");
        let folder = Folder::new().file("default.yaml", &slots(2));
        let mut process = start(role, &folder);
        process.line("ready");
        for (number, level) in [(5, "info"), (7, "debug"), (8, "warn")] {
            let text = format!("{}log: {{level: {level}}}\n", slots(number));
            std::fs::write(folder.path().join("default.yaml"), text).unwrap();
            process.signal("HUP");
            let lines = process.lines_to("reloaded");
            assert_eq!(lines.last().unwrap(), &format!("reloaded {number}"), "{role}");
            let heard = lines.iter().any(|it| it.contains(&format!("heard of {number}")));
            assert_eq!(heard, level == "debug", "{role}: {lines:#?}");
        }
        // What is wrong changes nothing, and the process lives on.
        std::fs::write(folder.path().join("default.yaml"), slots(66)).unwrap();
        process.signal("HUP");
        std::fs::write(folder.path().join("test.yaml"), slots(9)).unwrap();
        process.signal("HUP");
        assert_eq!(process.line("reloaded"), "reloaded 9", "{role}");
        process.signal("TERM");
        assert_eq!(process.line("ended"), "ended 9", "{role}");
        process.ends_well();
    }
}
