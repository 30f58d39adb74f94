//! The problems that this service tells of: the one table of their codes.

use axum::http::StatusCode;

/// A sort of problem, as the service documents it: one row of the table of codes.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProblemCode {
    /// The stable word for programs: the member `code` of a problem.
    pub code: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
    /// The same for every problem of this code: the member `title`.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal $status:ident $title:literal;)*) => {
        $(pub(crate) static $name: ProblemCode =
            ProblemCode { code: $code, status: StatusCode::$status, title: $title };)*

        /// Every code, by status.
        pub(crate) static ALL: &[&ProblemCode] = &[$(&$name),*];
    };
}

codes! {
    INVALID_JSON = "invalid_json" BAD_REQUEST "The body is not valid JSON";
    INVALID_QUERY = "invalid_query" BAD_REQUEST "The query is not valid";
    INVALID_CURSOR = "invalid_cursor" BAD_REQUEST "The cursor does not belong to this query";
    OFFSET_TOO_FAR = "offset_too_far" BAD_REQUEST "The offset takes too long to find";
    INVALID_HEADER = "invalid_header" BAD_REQUEST "A header is not valid";
    BROKEN_BODY = "broken_body" BAD_REQUEST "The body did not arrive whole";
    UNAUTHENTICATED = "unauthenticated" UNAUTHORIZED "The caller is not known";
    FORBIDDEN = "forbidden" FORBIDDEN "The caller may not do this";
    ROUTE_NOT_FOUND = "route_not_found" NOT_FOUND "There is no such route";
    TASK_NOT_FOUND = "task_not_found" NOT_FOUND "There is no such task";
    TASK_NAME_UNKNOWN = "task_name_unknown" NOT_FOUND "There is no task of this name";
    QUEUE_NOT_FOUND = "queue_not_found" NOT_FOUND "There is no such queue";
    SCHEDULE_NOT_FOUND = "schedule_not_found" NOT_FOUND "There is no such schedule";
    METHOD_NOT_ALLOWED = "method_not_allowed" METHOD_NOT_ALLOWED "The route does not take this method";
    BODY_TIMED_OUT = "body_timed_out" REQUEST_TIMEOUT "The body did not arrive in time";
    STATUS_CONFLICT = "status_conflict" CONFLICT "The status of the task does not allow this";
    DUPLICATE_TASK = "duplicate_task" CONFLICT "A task with this unique key is there already";
    RESULT_EXPIRED = "result_expired" GONE "The result is no longer kept";
    TOO_LARGE = "too_large" PAYLOAD_TOO_LARGE "The body is too large";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is not of a type that is taken";
    UNSUPPORTED_ENCODING = "unsupported_encoding" UNSUPPORTED_MEDIA_TYPE "The body is encoded";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" UNPROCESSABLE_ENTITY "The idempotency key was used for another request";
    INVALID_BODY = "invalid_body" UNPROCESSABLE_ENTITY "The body does not fit";
    RATE_LIMITED = "rate_limited" TOO_MANY_REQUESTS "The caller asks too often";
    INTERNAL_ERROR = "internal_error" INTERNAL_SERVER_ERROR "The service failed";
    QUEUE_FULL = "queue_full" SERVICE_UNAVAILABLE "The queue is full";
    STORE_UNAVAILABLE = "store_unavailable" SERVICE_UNAVAILABLE "The store does not answer";
    TOO_MANY_STREAMS = "too_many_streams" SERVICE_UNAVAILABLE "The service has no room for another stream";
    TOO_MANY_CONNECTIONS = "too_many_connections" SERVICE_UNAVAILABLE "The service has no room for another connection";
    SHUTTING_DOWN = "shutting_down" SERVICE_UNAVAILABLE "The service is about to end";
    REQUEST_TIMED_OUT = "request_timed_out" GATEWAY_TIMEOUT "The service did not answer in time";
}
