//! How the service is.

use std::sync::Arc;

use axum::{Json, response::IntoResponse};

use crate::{
    request::{Answer, Call},
    state::State,
};

/// Answers.
pub(crate) async fn ping(_: Arc<State>, _: Call) -> Answer {
    Ok(Json(serde_json::json!({ "status": "ok", "message": "pong" })).into_response())
}
