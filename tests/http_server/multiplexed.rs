//! HTTP/2, without TLS.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request,
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, task::JoinHandle};

use crate::support::{Running, serving, soon};

type Sender = SendRequest<Empty<Bytes>>;

async fn connect(server: &Running) -> (Sender, JoinHandle<()>) {
    let stream = soon(TcpStream::connect(server.address)).await.unwrap();
    let (sender, connection) = soon(handshake(TokioExecutor::new(), TokioIo::new(stream))).await.unwrap();
    (sender, tokio::spawn(async move { drop(connection.await) }))
}

async fn get(sender: &mut Sender, path: &str) -> Result<(u16, String), hyper::Error> {
    let request = Request::get(format!("http://test{path}")).body(Empty::new()).unwrap();
    let response = soon(sender.send_request(request)).await?;
    let status = response.status().as_u16();
    let body = soon(response.into_body().collect()).await?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn requests_go_side_by_side_and_end_in_order() {
    let mut server = serving(|it| it).await;
    let (mut sender, connection) = connect(&server).await;
    let mut slow = sender.clone();
    let slow = tokio::spawn(async move { get(&mut slow, "/slow").await });
    server.has_inside(1).await;
    assert_eq!(get(&mut sender, "/").await.unwrap(), (200, "hello".to_owned()));
    assert_eq!(get(&mut sender, "/panic").await.unwrap().0, 500);
    server.tell();
    assert_eq!(slow.await.unwrap().unwrap().0, 200);
    server.end().await;
    soon(connection).await.unwrap();
}

/// A connection that is kept open says things of its own now and then: they are no beginning of a request.
#[tokio::test]
async fn silence_is_no_late_head() {
    let short = Duration::from_millis(100);
    let server = serving(|it| it.header_timeout(short).idle_timeout(20 * short)).await;
    let (mut sender, connection) = connect(&server).await;
    get(&mut sender, "/").await.unwrap();
    tokio::time::sleep(5 * short).await;
    get(&mut sender, "/").await.unwrap();
    soon(connection).await.unwrap();
    assert!(get(&mut sender, "/").await.is_err(), "in the end it is closed");
    server.end().await;
}
