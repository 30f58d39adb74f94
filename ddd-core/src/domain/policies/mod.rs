//! What a function policy is: its kind, its place, its settings and the arithmetic of its decisions. Time is passed in.

mod kind;
mod refused;
mod site;

pub use kind::PolicyKind;
pub use refused::{Refused, RefusedKind};
pub use site::Site;
