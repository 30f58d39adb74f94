//! Every route, registered from here and nowhere else.

use axum::http::Method;

use crate::{access::Permission, health, route::Route, stream, tasks};

/// A row; its handler is an `async fn`.
macro_rules! routes {
    ($($method:ident $path:literal $permission:expr, $summary:literal => $($handler:ident)::+;)*) => {
        /// The route table.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            permission: $permission,
            summary: $summary,
            handler: |state, call| Box::pin($($handler)::+(state, call)),
        }),*];
    };
}

const EVERYBODY: Option<Permission> = None;
const SUBMIT: Option<Permission> = Some(Permission::Submit);
const READ: Option<Permission> = Some(Permission::Read);

routes! {
    POST "/tasks/submit" SUBMIT, "Submits a task" => tasks::submit::named;
    POST "/tasks/submit/{task_name}" SUBMIT, "Submits a task, the body its parameters" => tasks::submit::one;
    GET "/tasks/{task_id}/status" READ, "Where a task is" => tasks::get::status;
    GET "/tasks/{task_id}" READ, "A task's record" => tasks::get::record;
    GET "/tasks/stream" READ, "The transitions of all tasks, as they happen" => stream::all;
    GET "/tasks/{task_id}/stream" READ, "A task's transitions and progress until it ends" => stream::one;
    GET "/health/ping" EVERYBODY, "Whether somebody answers" => health::ping;
}
