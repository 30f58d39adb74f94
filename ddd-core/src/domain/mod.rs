//! What a task is: pure data and rules. Nothing here reads a clock, draws randomness or does I/O; both are passed in.
//!
//! Read in this order: [`TaskStatus`] and its table of transitions, [`TaskRecord`], [`Rank`], [`Retry`], [`Schedule`].

#[cfg(feature = "config")]
pub mod as_written;
mod configuration;
mod cron_fields;
mod duration;
pub(crate) mod duration_serde;
mod error_kind;
mod filter;
mod id;
mod idempotency;
mod limits;
mod log_levels;
mod moment;
mod name;
mod options;
mod policies;
mod quota;
mod rank;
mod record;
mod retry;
mod schedule;
mod similar;
#[cfg(feature = "config")]
pub(crate) mod size;
mod statistics;
mod status;
mod summary;
mod timestamp;
mod trace;
mod transition;
mod waiting;

pub use configuration::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, Node, NodeValue};
pub use duration::{DurationError, IntoDuration};
pub(crate) use duration::{LONGEST as LONGEST_DURATION, nanos, written as written_duration};
pub use error_kind::{Classify, ErrorKind};
pub use filter::{Cursor, Filter, Page};
pub use id::{Fence, TaskId, WorkerId};
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use limits::{Limits, truncated};
pub use log_levels::{InvalidLogLevel, LogLevel, LogLevels};
pub use moment::Moment;
pub use name::Name;
pub use options::{Options, ScheduleOption, Until};
pub use policies::{
    Admission, Attempt, Budget, BulkheadSettings, CacheEnvelope, CachedSettings, Circuit, CircuitBreakerSettings,
    CircuitState, CircuitTransition, End, Exceeded, Freshness, Hold, Limit, LimitKey, LimitPlan, LimitState,
    LimitUsage, MoreLimits, PolicyKind, RateLimitedSettings, Refill, Refused, RefusedKind, RetrySettings, Scope, Site,
    Spans, Standing, Step, Stored, Strategy, Tag, TimeoutSettings, Totals, Verdict, WhenUnavailable, Window,
};
pub use quota::{Quota, QuotaState};
pub use rank::{Priority, PriorityError, Rank, RankStep};
pub(crate) use record::push_error;
pub use record::{AttemptError, FailureKind, Label, Origin, Progress, TaskRecord};
pub use retry::Retry;
pub use schedule::{Schedule, ScheduleError};
pub use similar::closest;
pub use statistics::{Counts, Durations, Statistics, TaskStatistics};
pub use status::{IllegalTransition, TaskStatus};
pub use summary::TaskSummary;
pub use timestamp::Timestamp;
pub use trace::{InvalidTraceContext, TraceContext};
pub use transition::Transition;
