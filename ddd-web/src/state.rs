//! What the handlers of an API share.

use ddd_core::App;

use crate::{access::Access, request::RequestIds, stream::Streams};

/// What the handlers of an API share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) app: App,
    pub(crate) access: Access,
    pub(crate) request_ids: RequestIds,
    pub(crate) streams: Streams,
}
