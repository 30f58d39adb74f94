//! What goes into the methods of a task store, and what comes out.

mod claim;
mod control;
mod finish;
mod position;
mod schedule;
mod settings;
mod submission;
mod worker;

pub use claim::{ClaimRequest, Claimed, Claims};
pub use control::{Control, Controlled};
pub use finish::{AttemptEnd, Finish, Finished, ProgressReport};
pub use position::Position;
pub use schedule::{ScheduleCommand, ScheduleRecord};
pub use settings::{Capabilities, QueueSettings, QueueState, StoreSettings};
pub use submission::{Due, Enqueued, NewTask};
pub use worker::{Declaration, Heartbeat, Held, KnownTask, Reaped, WorkerState};
