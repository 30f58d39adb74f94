//! The least that an axum service needs to take the same request: it parses the body, pushes to the floor's queue, and
//! answers with the id. No key, no request id, no validation, no limits.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use ddd_core::{IdGenerator, TaskId};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    floor::Queue,
    protocol::WORKERS,
    request::PATH,
    service::{Service, Work},
};

pub(crate) struct Bare {
    queue: Arc<Queue<IdGenerator>>,
    work: Work,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read from the body, and not needed by bodies that do nothing")]
struct Submit {
    task_name: String,
    task_type: String,
    params: Params,
    priority: i8,
    timeout: u64,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "read from the body, and not needed by bodies that do nothing")]
struct Params {
    input: String,
}

#[derive(Serialize)]
struct Submitted {
    task_id: TaskId,
    status: &'static str,
}

async fn submit(
    State(queue): State<Arc<Queue<IdGenerator>>>,
    Json(body): Json<Submit>,
) -> (StatusCode, Json<Submitted>) {
    let (task_id, _) = queue.submit(body.priority);
    (StatusCode::ACCEPTED, Json(Submitted { task_id, status: "pending" }))
}

impl Service for Bare {
    async fn new(work: Work) -> Self {
        let queue: Arc<Queue<IdGenerator>> = Arc::default();
        if work == Work::Done {
            for _ in 0..WORKERS {
                let queue = queue.clone();
                tokio::spawn(async move { queue.work().await });
            }
        }
        Self { queue, work }
    }

    fn router(&self) -> Router {
        Router::new().route(PATH, post(submit)).with_state(self.queue.clone())
    }

    async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = self.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn finish(&self) {
        while self.work == Work::Done && !self.queue.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
