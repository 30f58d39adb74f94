//! How long a stream lasts, and what it costs; in virtual time, without sockets.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::{Request, StatusCode},
};
use ddd_core::{App, Task, task};
use ddd_web::{Access, Api};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

#[task]
async fn idle() {}

async fn service() -> (App, Router) {
    // Without workers: what is submitted stays.
    let app = ddd_core::testing::builder().definitions([idle::definition()]).build().await.unwrap();
    let router = Router::new().nest("/api/v1", Api::new(&app, Access::open()).routes());
    (app, router)
}

async fn open(router: &Router, path: &str) -> BodyDataStream {
    let request = Request::get(format!("/api/v1/tasks{path}")).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

async fn piece(stream: &mut BodyDataStream) -> Option<String> {
    let piece = stream.next().await?.unwrap();
    Some(String::from_utf8(piece.to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_stream_says_something_every_15_seconds_and_ends_after_15_minutes() {
    let (app, router) = service().await;
    let id = app.submit(idle {}).await.unwrap().id();
    for path in ["/stream".to_owned(), format!("/{id}/stream")] {
        let mut stream = open(&router, &path).await;
        assert!(piece(&mut stream).await.unwrap().contains("event: "));
        let began = Instant::now();
        let mut signs = 0;
        let last = loop {
            let before = Instant::now();
            let piece = piece(&mut stream).await.expect("it says why it ends");
            if piece != ": keep-alive\n\n" {
                break piece;
            }
            signs += 1;
            assert_eq!(before.elapsed().as_secs(), 15);
        };
        assert!(last.contains("event: reconnect\ndata: {\"reason\":\"time_limit\"}"), "{last}");
        assert!(last.contains("retry: 1000\n") && last.contains("id: "), "{last}");
        assert_eq!((signs, began.elapsed().as_secs()), (59, 15 * 60));
        assert_eq!(piece(&mut stream).await, None);
    }
}

/// A client that does not read gets what is kept when it does, and learns what it missed.
#[tokio::test(start_paused = true)]
async fn a_slow_client_misses_some_and_is_told() {
    let (app, router) = service().await;
    let mut stream = open(&router, "/stream").await;
    piece(&mut stream).await.unwrap();
    const TASKS: usize = 20_000;
    for _ in 0..TASKS / 100 {
        app.submit_many((0..100).map(|_| idle {})).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut text = String::new();
    while let Ok(Some(piece)) = timeout(Duration::from_secs(5), piece(&mut stream)).await {
        text += &piece;
    }
    let missed: Vec<&str> = text.lines().filter_map(|it| it.strip_prefix("data: {\"missed\":")).collect();
    let [missed] = missed[..] else { panic!("{missed:?}") };
    let missed: usize = missed.trim_end_matches('}').parse().unwrap();
    let told = text.matches("event: transition").count();
    assert_eq!(missed + told, TASKS);
    assert!((4_096..6_000).contains(&told), "what is kept, and two pieces that were on the way: {told}");
}

/// What has no reader any more costs nothing after a while, and its numbers are not taken for those of the next.
#[tokio::test(start_paused = true)]
async fn a_lost_stream_can_be_gone_on_with_for_a_minute() {
    let (app, router) = service().await;
    let mut stream = open(&router, "/stream").await;
    let opened = piece(&mut stream).await.unwrap();
    let id = opened.lines().find_map(|it| it.strip_prefix("id: ")).unwrap().to_owned();
    drop(stream);
    let go_on = async || {
        let request = Request::get("/api/v1/tasks/stream").header("last-event-id", &id).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        piece(&mut response.into_body().into_data_stream()).await.unwrap()
    };
    app.submit(idle {}).await.unwrap();
    tokio::time::sleep(Duration::from_secs(50)).await;
    let text = go_on().await;
    assert!(!text.contains("event: reset"), "{text}");
    tokio::time::sleep(Duration::from_secs(130)).await;
    let text = go_on().await;
    assert!(text.contains("event: reset"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_limits_can_be_set() {
    let app = ddd_core::testing::builder().definitions([idle::definition()]).build().await.unwrap();
    let api = Api::new(&app, Access::open()).stream_limits(1, Duration::from_secs(20));
    let router = Router::new().nest("/api/v1", api.routes());
    let mut stream = open(&router, "/stream").await;
    let request = Request::get("/api/v1/tasks/stream").body(Body::empty()).unwrap();
    let full = router.clone().oneshot(request).await.unwrap();
    assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
    let began = Instant::now();
    while piece(&mut stream).await.is_some() {}
    assert_eq!(began.elapsed().as_secs(), 20);
}

/// A client that goes leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_client_that_goes_makes_room() {
    let (_app, router) = service().await;
    for _ in 0..500 {
        let mut stream = open(&router, "/stream").await;
        piece(&mut stream).await.unwrap();
        drop(stream);
        tokio::task::yield_now().await;
    }
}
