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
    pub use std::time::Duration;

    pub use crate::{
        application::{
            Admission, BulkheadCell, BulkheadPermit, CacheHandle, CachedCell, Fill, HandleRules, IntoFill, Lookup,
            Parts, RateLimitedCell, TimeoutCell,
        },
        domain::{
            BulkheadSettings, CachedSettings, RateLimitedSettings, Scope, Stored, Strategy, Tag, TimeoutSettings,
            WhenUnavailable,
        },
        ports::{CacheRules, Refusal},
    };
}
