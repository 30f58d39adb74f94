//! What the framework needs from outside, and what it offers to generated code: traits, and the types in their signatures.
//!
//! Read in this order: [`TaskStore`], [`Definition`], [`Task`], [`TaskContext`].

mod cache_rules;
mod cache_store;
mod call;
mod clock;
mod context;
mod decode;
mod definition;
mod enlist;
mod error;
mod failure;
mod fields;
mod future;
mod json;
mod json_path;
mod limit_store;
mod outcome;
mod params;
mod place;
mod policy;
mod returned;
mod store;
mod store_types;
mod task;
mod tracer;
mod watcher;

pub use cache_rules::{CacheRules, Refusal};
pub use cache_store::{
    CacheAddress, CacheAnswer, CacheFound, CacheInvalidation, CacheListener, CacheStore, CacheTarget, CacheTicket,
    CacheWrite, CacheWritten,
};
pub use call::{Call, Dependencies};
pub use clock::Clock;
pub use context::{Attempt, AttemptInfo, TaskContext};
pub use decode::{Members, members};
pub use definition::{Body, BodyFuture, BodyResult, Definition, Dependency, Schemas};
pub use enlist::{Enlist, EnlistNow};
pub(crate) use error::write_chain;
pub use error::{BoxError, StoreError, StoreErrorKind};
pub use failure::{Failure, FailureOutcome, TaskError};
pub use fields::{Fields, fields};
pub use future::BoxFuture;
pub(crate) use json::written;
pub use limit_store::{LimitAnswer, LimitRequest, LimitStore};
pub use outcome::{
    Addressed, AnyRules, CacheKey, CacheKeyOf, CacheValue, Codec, Coded, CodedRules, HasError, JudgeByError,
    JudgeByKind, JudgeByUser, JudgeOfAny, JudgeOfClassified, JudgeOfResult, LentKey, LimitKey, MadeOfRefusal, Of,
    OptionRules, Refusable, Repeatable, ResultRules, RulesOfAny, RulesOfKnown, RulesOfShared, Shape, SharedCacheKey,
    SharedCacheValue, SharedRules, StoreIf, Weigh, again, codec, limit_key, needs_result, never_refused, refusable,
};
pub use params::{InvalidParams, Keys};
pub use place::StorePlace;
pub use policy::{Forced, Policy, PolicyChangeError};
pub use returned::{
    ByKind, ByNothing, ByText, ErrorTag, boxed, check, check_shape, debug, definition, failed, first_violation,
    injected, key, settle, unique_by_params,
};
pub use store::{Attention, Signal, SignalSink, StoreFuture, TaskStore};
pub use store_types::{
    AttemptEnd, Capabilities, ClaimRequest, Claimed, Claims, Control, Controlled, Declaration, Due, Enqueued, Finish,
    Finished, Heartbeat, Held, KnownTask, NewTask, Position, ProgressReport, QueueSettings, QueueState, Reaped,
    ScheduleCommand, ScheduleRecord, StoreSettings, WorkerState,
};
pub use task::{Task, TaskParam, TaskResult, TaskReturn};
pub use tracer::Tracer;
pub use watcher::Watcher;
