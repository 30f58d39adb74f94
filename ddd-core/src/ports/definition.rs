use std::any::TypeId;

use schemars::{Schema, SchemaGenerator};
use serde_json::value::RawValue;

use super::{BoxFuture, Call, Failure, InvalidParams, Keys};
use crate::domain::Options;

/// What `#[task]` registered about a function: the erased form by which a worker runs it without knowing its types.
#[derive(Debug)]
#[non_exhaustive]
pub struct Definition {
    /// The name by which it is submitted.
    pub name: &'static str,
    /// The documentation of the function.
    pub doc: &'static str,
    /// The module that holds it.
    pub module: &'static str,
    /// The file that holds it.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// The settings written in the attribute.
    pub options: Options,
    /// How it is run.
    pub body: Body,
    /// Checks parameters and tells their keys.
    pub check: fn(&RawValue) -> Result<Keys, InvalidParams>,
    /// The schemas of parameters and result.
    pub schemas: fn(&mut SchemaGenerator) -> Schemas,
    /// What it needs from the application.
    pub dependencies: &'static [Dependency],
    /// The parameters marked `#[secret]`.
    pub secrets: &'static [&'static str],
}

/// How a definition is run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Body {
    /// An `async fn`: polled on the runtime. The call itself reads the parameters and clones what is injected, which is
    /// the user's code as much as the body is: make it where panics are caught.
    Async(fn(Call) -> BodyFuture),
    /// A plain `fn`: runs on a thread of its own.
    Blocking(fn(Call) -> BodyResult),
    /// Lives in another binary.
    Remote,
}

/// What a body yields: its result as JSON, `None` for `null`.
pub type BodyResult = Result<Option<Box<RawValue>>, Failure>;

/// A running body.
pub type BodyFuture = BoxFuture<'static, BodyResult>;

/// The JSON Schemas of a definition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Schemas {
    /// Of the parameters: an object.
    pub params: Schema,
    /// Of the result.
    pub result: Schema,
}

impl Schemas {
    /// Both schemas.
    #[must_use]
    pub const fn new(params: Schema, result: Schema) -> Self {
        Self { params, result }
    }
}

/// Something that a definition needs from the application: a parameter marked `#[inject]`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Dependency {
    /// The name of the parameter.
    pub param: &'static str,
    /// The type, `&` taken off.
    pub type_id: fn() -> TypeId,
    /// The type's name, for messages.
    pub type_name: fn() -> &'static str,
}

impl Dependency {
    /// The parameter `param` of type `T`.
    #[must_use]
    pub const fn of<T: Send + Sync + 'static>(param: &'static str) -> Self {
        Self { param, type_id: TypeId::of::<T>, type_name: std::any::type_name::<T> }
    }
}

impl Definition {
    /// A definition.
    #[allow(clippy::too_many_arguments, reason = "generated code names them all, in this order")]
    #[must_use]
    pub const fn new(
        name: &'static str,
        doc: &'static str,
        (module, file, line): (&'static str, &'static str, u32),
        options: Options,
        body: Body,
        check: fn(&RawValue) -> Result<Keys, InvalidParams>,
        schemas: fn(&mut SchemaGenerator) -> Schemas,
        dependencies: &'static [Dependency],
        secrets: &'static [&'static str],
    ) -> Self {
        Self { name, doc, module, file, line, options, body, check, schemas, dependencies, secrets }
    }

    /// Where it is written, as `file:line`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Whether its body lives in another binary.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        matches!(self.body, Body::Remote)
    }

    /// Whether its body is a plain function.
    #[must_use]
    pub const fn is_blocking(&self) -> bool {
        matches!(self.body, Body::Blocking(_))
    }
}
