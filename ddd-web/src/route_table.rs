//! Every route, registered from here and nowhere else.

use axum::http::Method;

use crate::{access::Permission, health, queues, route::Route, schedules, stream, tasks, workers};

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
const READ: Option<Permission> = Some(Permission::Read);
const SUBMIT: Option<Permission> = Some(Permission::Submit);
const SUBMIT_WITH_OPTIONS: Option<Permission> = Some(Permission::SubmitWithOptions);
const CANCEL: Option<Permission> = Some(Permission::Cancel);
const OBSERVE: Option<Permission> = Some(Permission::Observe);
const ADMIN: Option<Permission> = Some(Permission::Admin);

routes! {
    POST "/tasks/submit" SUBMIT, "Submits a task" => tasks::submit::named;
    POST "/tasks/submit/{task_name}" SUBMIT, "Submits a task; the body is its parameters" => tasks::submit::one;
    GET "/tasks" READ, "Tasks, newest first" => tasks::list::all;
    GET "/tasks/history" READ, "Finished tasks, newest first" => tasks::list::history;
    GET "/tasks/stream" READ, "The transitions of all tasks, as they happen" => stream::all;
    GET "/tasks/statistics" OBSERVE, "Figures about all tasks" => tasks::statistics::statistics;
    GET "/tasks/registry" READ, "What can be submitted" => tasks::registry::all;
    GET "/tasks/registry/{task_name}" READ, "One task that can be submitted" => tasks::registry::one;
    POST "/tasks/cleanup" ADMIN, "Drops the records of old tasks" => tasks::bulk::cleanup;
    POST "/tasks/bulk" ADMIN, "Changes many tasks" => tasks::bulk::bulk;
    GET "/tasks/{task_id}" READ, "All of a task" => tasks::get::record;
    DELETE "/tasks/{task_id}" CANCEL, "Cancels a task" => tasks::change::cancel;
    PATCH "/tasks/{task_id}" SUBMIT_WITH_OPTIONS, "Gives a task another priority or due time" => tasks::change::patch;
    GET "/tasks/{task_id}/status" READ, "Where a task is" => tasks::get::status;
    GET "/tasks/{task_id}/result" READ, "What became of a task, waited for if wanted" => tasks::result::result;
    GET "/tasks/{task_id}/stream" READ, "A task's transitions and progress until it ends" => stream::one;
    POST "/tasks/{task_id}/retry" CANCEL, "Runs a finished task again" => tasks::change::retry;
    GET "/queues" OBSERVE, "The queues" => queues::all;
    POST "/queues/{queue}/pause" ADMIN, "Hands out no more tasks of a queue" => queues::pause;
    POST "/queues/{queue}/resume" ADMIN, "Hands out tasks of a queue again" => queues::resume;
    GET "/workers" OBSERVE, "The workers that are alive" => workers::all;
    GET "/schedules" OBSERVE, "The schedules" => schedules::all;
    POST "/schedules/{name}/pause" ADMIN, "Lets a schedule rest" => schedules::pause;
    POST "/schedules/{name}/resume" ADMIN, "Lets a schedule go on" => schedules::resume;
    POST "/schedules/{name}/run" ADMIN, "Submits a schedule's task now" => schedules::run;
    GET "/health" EVERYBODY, "All checks" => health::all;
    GET "/health/sync" EVERYBODY, "What the checks found last" => health::known;
    GET "/health/live" EVERYBODY, "Whether the process is alive" => health::live;
    GET "/health/ready" EVERYBODY, "Whether requests should be sent here" => health::ready;
    GET "/health/ping" EVERYBODY, "Whether somebody answers" => health::ping;
}
