//! The worker: claims tasks, runs their bodies, and reports how they ended.
//!
//! ```text
//!            hint or pacer                    one per slot
//!  store ───────▶ feed ───claim───▶ slot ──▶ attempt ──▶ body
//!    ▲                                │                    │ ends, times out, is cancelled, panics
//!    ├──────────── finisher ◀─────────┴────────────────────┘
//!    └──────────── vitals (own thread): heartbeat, reap, bodies that cannot be stopped
//! ```

mod attempt;
mod body;
mod cell;
mod concealed;
mod crew;
mod feed;
mod finisher;
mod lifecycle;
mod pacer;
mod progress;
mod served;
mod shared;
mod slot;
mod stop;
mod vitals;

pub(crate) use attempt::{RunningAttempt, Surroundings};
pub(crate) use body::{Ended, Events, Job, run};
pub(crate) use lifecycle::{StartError, Worker};
pub use stop::ShutdownReport;
