use super::request_id::RequestId;
use crate::access::Caller;

/// What is known of a request before its route is asked.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) request_id: RequestId,
    pub(crate) caller: Caller,
    pub(crate) traceparent: Option<String>,
}
