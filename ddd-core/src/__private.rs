//! What generated code may touch: re-exports, and nothing else. Not part of the public interface.

pub use inventory;
pub use schemars;
pub use serde;
pub use serde_json::value::RawValue;

pub use crate::{
    domain::{Options, Priority, Refused, Retry, ScheduleOption, Site, Until},
    infrastructure::{PolicyRegistration, Registration, linked},
    ports::{
        Body, BodyFuture, BodyResult, ByKind, ByNothing, ByText, Call, Definition, Dependency, ErrorTag, InvalidParams,
        Keys, Task, TaskParam, TaskReturn, boxed, check, check_shape, debug, definition, failed, fields,
        first_violation, injected, key, members, settle, unique_by_params,
    },
};

/// What the attributes of function policies expand to.
pub mod policies {
    pub use inventory;

    pub use crate::domain::{Refused, Site};
    pub use crate::infrastructure::PolicyRegistration;
    pub use crate::ports::{
        CacheKeyOf, Codec, CodedRules, JudgeOfAny, JudgeOfClassified, JudgeOfResult, Of, RulesOfAny, RulesOfKnown,
        RulesOfShared, Shape, again, codec, limit_key, needs_result, never_refused, refusable,
    };

    pub use std::time::Duration;

    pub use crate::application::{
        Admission, Attempts, BulkheadCell, BulkheadPermit, CacheHandle, CachedCell, CircuitBreakerCell, CircuitCall,
        Fill, HandleRules, IntoFill, Lent, Lookup, Next, Own, Part, Parts, Pause, RateLimitedCell, RetryCell,
        TimeoutCell,
    };
    pub use crate::domain::{
        Attempt, Budget, BulkheadSettings, CachedSettings, CircuitBreakerSettings, RateLimitedSettings, RetrySettings,
        Scope, Stored, Strategy, Tag, TimeoutSettings, Verdict, WhenUnavailable,
    };
    pub use crate::ports::{CacheRules, Refusal};
}
