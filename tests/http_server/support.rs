//! A server in this process, and words to speak with it over sockets.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ddd_core::{App, ShutdownReport};
use ddd_tests::kit::answer::{Answer, head};
use ddd_web::Server;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// Long enough for anything that is not broken.
const PATIENCE: Duration = Duration::from_secs(30);

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

/// Awaits something that takes a moment unless the server is broken.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it never happened")
}

/// A server in this process.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    inside: Inside,
    end: Option<oneshot::Sender<()>>,
    ended: JoinHandle<ShutdownReport>,
}

impl Running {
    /// Tells it to end.
    pub(crate) fn tell(&mut self) {
        let _ = self.end.take().expect("it was not told before").send(());
    }

    /// Tells it to end, unless it was told, and waits until it has.
    pub(crate) async fn end(mut self) -> ShutdownReport {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        soon(&mut self.ended).await.unwrap()
    }

    /// Waits until so many requests are, or were, in a handler that takes its time.
    pub(crate) async fn has_inside(&self, count: usize) {
        soon(self.inside.subscribe().wait_for(|it| *it >= count)).await.unwrap();
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(soon(TcpStream::connect(self.address)).await.unwrap())
    }

    /// Asks for a path over a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut client = self.connect().await;
        client.ask(path).await;
        client.answer().await
    }
}

pub(crate) async fn app() -> App {
    App::builder().definitions([]).build().await.unwrap()
}

/// Serves [`routes`], with something changed.
pub(crate) async fn serving(change: impl FnOnce(Server) -> Server) -> Running {
    let app = app().await;
    serving_for(&app, routes, change).await
}

/// Serves the routes that are made, for an application, with something changed.
pub(crate) async fn serving_for(
    app: &App,
    routes: impl FnOnce(Inside) -> Router,
    change: impl FnOnce(Server) -> Server,
) -> Running {
    let (end, told) = oneshot::channel();
    let inside = Inside::default();
    let server = change(Server::new(app, routes(inside.clone()))).until(async move { drop(told.await) });
    let listening = server.bind("127.0.0.1:0").await.unwrap();
    let address = listening.address();
    Running { address, inside, end: Some(end), ended: tokio::spawn(listening.run()) }
}

/// How many requests are in a handler that takes its time.
pub(crate) type Inside = watch::Sender<usize>;

/// Routes to try a server with.
pub(crate) fn routes(inside: Inside) -> Router {
    let slow = inside.clone();
    let never = move || async move {
        inside.send_modify(|it| *it += 1);
        std::future::pending::<()>().await;
    };
    let slow = move || async move {
        slow.send_modify(|it| *it += 1);
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    Router::new()
        .route("/", get(async || "hello"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/ignore", post(async || "ignored"))
        .route("/long", get(async || "long ".repeat(1_000)))
        .route("/short", get(async || "s".repeat(200)))
        .route("/never", get(never))
        .route("/slow", get(slow))
        .route("/panic", get(panics))
        .route("/id", get(async |headers: HeaderMap| headers["x-request-id"].to_str().unwrap().to_owned()))
}

async fn panics() -> Response {
    if true {
        panic!("on purpose");
    }
    ().into_response()
}

/// A connection, byte by byte.
#[derive(Debug)]
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn send(&mut self, text: &str) {
        soon(self.0.write_all(text.as_bytes())).await.unwrap();
    }

    /// Sends as much as is taken; whether that is all.
    pub(crate) async fn pushes(&mut self, bytes: &[u8]) -> bool {
        soon(self.0.write_all(bytes)).await.is_ok()
    }

    pub(crate) async fn ask(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
    }

    /// The next answer; its length must be told.
    pub(crate) async fn answer(&mut self) -> Answer {
        soon(Answer::read(&mut self.0)).await.unwrap()
    }

    /// The head of the next answer.
    pub(crate) async fn head(&mut self) -> String {
        soon(head(&mut self.0)).await.unwrap()
    }

    /// All that comes until the server closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = soon(self.0.read_to_end(&mut rest)).await;
        rest
    }

    /// Checks that the server closes, having said nothing more.
    pub(crate) async fn is_closed(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest().await), "");
    }
}
