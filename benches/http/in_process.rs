//! Without connections: what the routes themselves cost.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};
use cpu_time::ProcessTime;
use tower::Service as _;

use crate::{
    protocol, request,
    service::{Service, Work},
};

const REQUESTS: u32 = 20_000;

/// Processor time for each request.
pub(crate) fn sample<S: Service>(work: Work) -> Duration {
    protocol::runtime().block_on(async {
        let service = S::new(work).await;
        let mut router = service.router();
        let mut began = ProcessTime::now();
        for number in 0..REQUESTS + REQUESTS / 10 {
            // The first tenth warms it up.
            if number == REQUESTS / 10 {
                began = ProcessTime::now();
            }
            let answer = router.call(request::parsed()).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            drop::<Body>(answer.into_body());
        }
        service.finish().await;
        began.elapsed() / REQUESTS
    })
}
