//! What every request goes through before and after its route's handler.

pub(crate) mod body;
mod call;
mod caught;
mod context;
mod endpoint;
mod json;
pub(crate) mod members;
mod request_id;
mod trace;
pub(crate) mod values;

pub(crate) use call::{Answer, Call};
pub(crate) use caught::caught;
pub(crate) use endpoint::Endpoint;
pub(crate) use request_id::{RequestIds, X_REQUEST_ID};
