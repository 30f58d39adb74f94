//! A service in this process, whose tasks can be counted.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::Router;
use ddd_core::{App, AppBuilder, ShutdownReport, Task, task};
use ddd_web::{Access, Api, ApiKey, Permission, Server};
use tokio::{sync::oneshot, task::JoinHandle};

static EXECUTED: AtomicUsize = AtomicUsize::new(0);

/// Counts itself, and takes its time.
#[task(queue = "narrow")]
pub(crate) async fn slow(number: u32) {
    let _ = number;
    tokio::time::sleep(Duration::from_millis(2)).await;
    EXECUTED.fetch_add(1, Ordering::Relaxed);
}

/// Yields what it was given.
#[task]
pub(crate) async fn keep(text: String) -> Result<String, std::io::Error> {
    Ok(text)
}

/// Another one with the same parameters.
#[task]
pub(crate) async fn lose(text: String) {
    drop(text);
}

/// How many times [`slow`] has run.
pub(crate) fn executed() -> usize {
    EXECUTED.load(Ordering::Relaxed)
}

pub(crate) const ANN: &str = "x-api-key: the-key-of-ann-0123\r\n";
pub(crate) const BOB: &str = "x-api-key: the-key-of-bob-0123\r\n";

pub(crate) struct Here {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<ShutdownReport>,
}

impl Here {
    pub(crate) async fn start(change: impl FnOnce(AppBuilder) -> AppBuilder) -> Self {
        let builder = App::builder().definitions([slow::definition(), keep::definition(), lose::definition()]);
        let app = change(builder).start().await.unwrap();
        let key = |name: &str| ApiKey::new(name, format!("the-key-of-{name}-0123")).allow(Permission::Submit);
        let api = Api::new(&app, Access::api_keys([key("ann"), key("bob")]).unwrap());
        let router: Router = Router::new().nest("/api/v1", api.routes());
        let (end, told) = oneshot::channel();
        let server = Server::new(&app, router).until(async move { drop(told.await) });
        let listening = server.bind("127.0.0.1:0").await.unwrap();
        let address = listening.address();
        Self { app, address, end, ended: tokio::spawn(listening.run()) }
    }

    pub(crate) async fn end(self) {
        let _ = self.end.send(());
        self.ended.await.unwrap();
    }
}
