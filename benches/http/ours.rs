//! Our routes as a service would serve them: a key for each caller, validation, limits, a request id for each request.

use std::net::SocketAddr;

use axum::Router;
use ddd_core::{App, task};
use ddd_web::{Access, Api, ApiKey, Permission, Server};

use crate::{
    protocol::WORKERS,
    request::KEY,
    service::{Service, Work},
};

#[task]
async fn my_custom_task(input: String) {
    drop(input);
}

pub(crate) struct Ours {
    app: App,
    api: Api,
    work: Work,
}

impl Service for Ours {
    async fn new(work: Work) -> Self {
        let app = App::builder().slots(WORKERS).build().await.expect("the wiring is right");
        if work == Work::Done {
            app.start_workers().await.expect("the worker starts");
        }
        // Beside the caller that asks, as many others as a small installation has.
        let keys = (0..8).map(|it| ApiKey::new(format!("caller-{it}"), format!("another-key-of-a-caller-{it}")));
        let ours = ApiKey::new("bench", KEY).allow(Permission::SubmitWithOptions);
        let access = Access::api_keys(keys.chain([ours])).expect("the keys are right");
        Self { api: Api::new(&app, access), app, work }
    }

    fn router(&self) -> Router {
        Router::new().nest("/api/v1", self.api.routes())
    }

    async fn serve(&self) -> SocketAddr {
        let server = Server::new(&self.app, self.router()).until(std::future::pending());
        let listening = server.bind("127.0.0.1:0").await.expect("a free port");
        let address = listening.address();
        tokio::spawn(listening.run());
        address
    }

    async fn finish(&self) {
        if self.work == Work::Done {
            self.app.tasks().wait_idle().await.expect("the store answers");
        }
    }
}
