//! What generated code may touch: re-exports, and nothing else. Not part of the public interface.

pub use inventory;
pub use schemars;
pub use serde;
pub use serde_json::value::RawValue;

pub use crate::{
    domain::{Options, Priority, Retry, ScheduleOption, Until},
    infrastructure::Registration,
    ports::{
        Body, BodyFuture, ByKind, ByText, Call, Definition, Dependency, ErrorTag, Failure, InvalidParams, Keys,
        Schemas, Task, TaskReturn, check, encode, schemas, unique_by_params,
    },
};
