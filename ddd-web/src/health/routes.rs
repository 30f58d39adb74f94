//! The routes of health. Probes have no keys, so everybody may ask; what is told depends on who does.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use ddd_core::Timestamp;
use serde::Serialize;

use super::report::{Finding, Level, Report};
use crate::{
    access::Permission,
    drain::Drain,
    request::{Answer, Call, reply},
    seconds::Seconds,
    state::State,
};

/// How the service is.
#[derive(Debug, Serialize)]
struct HealthBody<'a> {
    /// `null` if nothing has been checked yet.
    status: Option<Level>,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

/// What only those see who may observe.
#[derive(Debug, Serialize)]
struct Details<'a> {
    checked_at: Option<Timestamp>,
    uptime: Seconds,
    version: Option<&'a str>,
    checks: Option<&'a BTreeMap<String, Finding>>,
}

#[derive(Debug, Serialize)]
struct Word {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// All checks; 503 if one finds that the service does not work.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    let report = state.health.check().await;
    tell(&state, &call, Some(&report))
}

/// What was found last, without a check.
pub(crate) async fn known(state: Arc<State>, call: Call) -> Answer {
    let report = state.health.known();
    tell(&state, &call, report.as_deref())
}

fn tell(state: &State, call: &Call, report: Option<&Report>) -> Answer {
    let details = call.context.caller.may(Permission::Observe).then(|| Details {
        checked_at: report.map(|it| it.checked_at),
        uptime: Seconds(state.health.started.elapsed()),
        version: state.health.version.as_deref(),
        checks: report.map(|it| &it.checks),
    });
    let status = report.map(|it| it.status);
    let code = if status == Some(Level::Unhealthy) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    reply(code, &HealthBody { status, details })
}

/// Somebody answers.
pub(crate) async fn ping(_: Arc<State>, _: Call) -> Answer {
    reply(StatusCode::OK, &Word { status: "ok", message: Some("pong") })
}

/// The process is alive.
pub(crate) async fn live(_: Arc<State>, _: Call) -> Answer {
    reply(StatusCode::OK, &Word { status: "alive", message: None })
}

/// Requests should be sent here: 503 from the moment on when the service is told to end, and as long as it does not work.
pub(crate) async fn ready(state: Arc<State>, call: Call) -> Answer {
    let is_ending = call.parts.extensions.get::<Drain>().is_some_and(Drain::has_begun);
    let message = if is_ending {
        Some("the service is about to end")
    } else if state.health.check().await.status == Level::Unhealthy {
        Some("a check failed")
    } else {
        None
    };
    match message {
        None => reply(StatusCode::OK, &Word { status: "ready", message }),
        Some(_) => reply(StatusCode::SERVICE_UNAVAILABLE, &Word { status: "not_ready", message }),
    }
}
