use ddd_core::Origin;

use super::request_id::RequestId;
use crate::access::Caller;

/// What is known of a request before its route is asked.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) request_id: RequestId,
    pub(crate) caller: Caller,
    pub(crate) traceparent: Option<String>,
}

impl RequestContext {
    /// The origin of the tasks that this request submits.
    pub(crate) fn origin(&self) -> Origin {
        let mut origin = Origin::default();
        origin.owner = self.caller.owner().map(str::to_owned);
        origin.request_id = Some(self.request_id.as_str().to_owned());
        origin.traceparent.clone_from(&self.traceparent);
        origin
    }
}
