//! What the stores over SQL share: codes and texts in columns, what a change leads to beyond its answer, and who is told.

mod codes;
mod departures;
mod effects;
mod enlisted;
mod json;
mod told;

pub(super) use codes::{FINISHED, LINGERING, RETRIED, STARTED, SUBMITTED, status_code, status_of};
pub(super) use departures::Departures;
pub(super) use effects::Effects;
pub(super) use enlisted::{from_text, to_text};
pub(super) use json::{errors_of, errors_text, json_of, json_text, raw};
pub(super) use told::Told;
