//! SIGHUP in a process of its own: this test program, run again for one test.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "the child speaks to its parent on its output")]

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use axum::Router;
use ddd_core::{App, Configuration, Task, task};

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
        let builder = App::builder().definitions([wave::definition()]).configuration(&configuration);
        let builder = builder.on_reload(|configuration| {
            let slots = configuration.settings().slots;
            if slots == 66 { Err("66") } else { Ok(move || println!("\nreloaded {slots}")) }
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

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, folder: &Folder) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hangup::child", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads until the child says something that begins so.
    fn line(&mut self, beginning: &str) -> String {
        let found = self.lines.find_map(|it| it.ok().filter(|it| it.starts_with(beginning)));
        found.unwrap_or_else(|| panic!("the child never said `{beginning}`"))
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_configuration_is_read_again_on_sighup() {
    for role in ["run", "server"] {
        let slots = |slots: usize| format!("tasks: {{max_workers: {slots}}}\n");
        let folder = Folder::new().file("default.yaml", &slots(2));
        let mut process = Process::start(role, &folder);
        process.line("ready");
        for number in [5, 7] {
            std::fs::write(folder.path().join("default.yaml"), slots(number)).unwrap();
            process.signal("HUP");
            assert_eq!(process.line("reloaded"), format!("reloaded {number}"), "{role}");
        }
        // What is wrong changes nothing, and the process lives on.
        std::fs::write(folder.path().join("default.yaml"), slots(66)).unwrap();
        process.signal("HUP");
        std::fs::write(folder.path().join("test.yaml"), slots(9)).unwrap();
        process.signal("HUP");
        assert_eq!(process.line("reloaded"), "reloaded 9", "{role}");
        process.signal("TERM");
        assert_eq!(process.line("ended"), "ended 9", "{role}");
        assert!(process.child.wait().unwrap().success(), "{role}");
    }
}
