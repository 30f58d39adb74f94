//! What every request goes through before and after its route's handler.

mod call;
mod caught;
mod context;
mod endpoint;
mod request_id;
mod trace;

pub(crate) use call::{Answer, Call};
pub(crate) use caught::caught;
pub(crate) use endpoint::Endpoint;
pub(crate) use request_id::{RequestIds, X_REQUEST_ID};
