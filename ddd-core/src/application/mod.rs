//! The use cases: what an application does with tasks, over the ports.
//!
//! Read in this order: [`Registry`], [`Submission`], [`TaskHandle`], the worker, [`Tasks`].

mod bell;
#[cfg(feature = "config")]
mod configuration;
mod control;
mod current;
mod execute;
mod guard;
mod handle;
mod hooks;
mod ids;
mod in_force;
mod inbox;
mod known_queues;
mod lists;
mod meters;
pub(crate) mod milestones;
mod policies;
mod prepare;
mod provide;
mod records;
mod registry;
mod schedules;
mod seat;
mod services;
mod settings;
mod store_call;
mod submission;
mod submit_error;
mod submitting;
mod task_span;
mod tasks;
mod threads;
mod trace;
mod tracer;
mod transitions;
mod worker;

#[cfg(feature = "config")]
pub use configuration::{Configuration, ConfigurationError, Explained, ExplainedSetting, Secret, UndeclaredSection};
pub use control::{Bulk, Operation};
pub use current::with_origin;
pub use execute::ExecuteError;
pub use handle::{ResultError, TaskHandle};
pub use hooks::FailedTask;
pub use ids::IdGenerator;
pub use in_force::InForce;
pub use policies::{
    Admission, Attempts, BulkheadCell, BulkheadPermit, CacheHandle, CachedCell, CircuitBreakerCell, CircuitCall, Fill,
    HandleRules, IntoFill, Lent, LimitHandle, Lookup, Next, Own, Part, Parts, Pause, Policies, PolicyDefaults,
    PolicyError, PolicyInfo, PolicyOverrides, RateLimitedCell, RetryCell, TimeoutCell,
};
pub use provide::Factory;
pub use registry::{Registered, Registry, TaskSettings};
pub use schedules::{Schedules, SchedulesError};
pub use settings::{Settings, TaskOverrides};
pub use submission::Submission;
pub use submit_error::SubmitError;
pub use submitting::Submitting;
pub use tasks::Tasks;
pub use trace::current_trace;
pub use tracer::adopt_trace;
pub use transitions::{Lagged, Transitions};
pub use worker::ShutdownReport;

pub(crate) use bell::Bell;
#[cfg(feature = "config")]
pub(crate) use configuration::{Broken, Declared, Layers, Source, node_of, schema_of_settings};
#[cfg(feature = "telemetry")]
pub(crate) use current::make_span;
pub(crate) use execute::execute;
pub(crate) use hooks::Hooks;
pub(crate) use inbox::Inbox;
pub(crate) use known_queues::KnownQueues;
#[cfg(feature = "test-util")]
pub(crate) use policies::Isolation;
pub(crate) use policies::{PolicyHold, override_problems, push_overrides};
#[cfg(feature = "config")]
pub(crate) use policies::{PolicyPlan, plan_policies, surrounded};
pub(crate) use policies::{set_cache_store, set_limit_store};
pub(crate) use provide::Providers;
pub(crate) use schedules::{declare as declare_schedules, live as live_schedules};
pub(crate) use services::Services;
pub(crate) use submission::{submit, submit_many, submit_named};
#[cfg(feature = "telemetry")]
pub(crate) use task_span::may_be_late;
pub(crate) use threads::Threads;
#[cfg(feature = "otel")]
pub(crate) use tracer::set_tracer;
pub(crate) use transitions::TransitionLog;
pub(crate) use worker::{StartError, Worker};
