//! What every request goes through before and after its route's handler.

mod base;
pub(crate) mod body;
mod call;
mod caught;
mod context;
mod endpoint;
mod json;
mod layer;
pub(crate) mod members;
mod metered;
mod observed;
mod query;
pub(crate) mod request_id;
mod trace;
pub(crate) mod values;

pub(crate) use call::{Answer, Call, reply};
pub(crate) use caught::caught;
pub(crate) use endpoint::Endpoint;
pub use layer::{RequestLayer, Requests};
pub(crate) use query::Query;
pub(crate) use request_id::{RequestIds, X_REQUEST_ID};
