use super::{BoxError, Definition, InvalidParams, Keys, decode::decode};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A task as data: the struct that `#[task]` makes of a function, its fields the function's parameters.
///
/// Do not implement it by hand: `#[task]` also registers the definition and checks what cannot be checked here.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no task",
    label = "not made by `#[task]`",
    note = "write `#[task]` above the function, and pass its struct: `app.submit(send_email {{ to }})`"
)]
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    /// What a successful run yields.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// What the attribute registered.
    fn definition() -> &'static Definition;

    /// Reads parameters from JSON.
    ///
    /// # Errors
    /// They do not fit; the error says where.
    fn from_params(params: &RawValue) -> Result<Self, InvalidParams> {
        decode(params)
    }

    /// Whether the parameters keep the rules that their `#[garde]` attributes state.
    ///
    /// # Errors
    /// The first rule that is broken.
    fn validate(&self) -> Result<(), InvalidParams> {
        Ok(())
    }

    /// The keys under which it is unique and limited.
    fn keys(&self) -> Keys {
        Keys::default()
    }
}

/// What a parameter of a task must be, to be kept and described as JSON.
///
/// Every type that is `Serialize`, `DeserializeOwned` and `JsonSchema` is one. Generated code asks for it before all else, so
/// that what the compiler says first of a type that is not tells what to do. They are no supertraits: the compiler would then
/// complain of each of them instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a task",
    label = "not written as JSON with a schema",
    note = "a type of yours: derive `serde::Serialize, serde::Deserialize, schemars::JsonSchema` (`cargo add serde -F derive; cargo add schemars@1`)",
    note = "provided by the application, as `TaskContext` or a client: mark the parameter `#[inject]`"
)]
pub trait TaskParam {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> TaskParam for T {}

/// What a task may yield: the same, and it can be sent to another thread.
///
/// Every type that is all of this is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a task",
    label = "not written as JSON with a schema",
    note = "a type of yours: derive `serde::Serialize, serde::Deserialize, schemars::JsonSchema` (`cargo add serde -F derive; cargo add schemars@1`)",
    note = "it must also be `Send + 'static`"
)]
pub trait TaskResult: Serialize + DeserializeOwned + JsonSchema + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema + Send + 'static> TaskResult for T {}

/// What the function of a task may return: any `Result<T, E>`, or `()`.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "not a `Result`, nor `()`",
    note = "return `Result<T, E>`, where `T` can be written as JSON (`Serialize`, `Deserialize`, `JsonSchema`) and `E` is an error (`std::error::Error + Send + Sync`, `String`, or a boxed error); or `()`"
)]
pub trait TaskReturn {
    /// What a successful run yields.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// How a run fails.
    type Error: 'static;

    /// As a result.
    ///
    /// # Errors
    /// The body failed.
    fn into_result(self) -> Result<Self::Output, Self::Error>;
}

impl<T, E> TaskReturn for Result<T, E>
where
    T: TaskResult,
    E: Into<BoxError> + 'static,
{
    type Output = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

impl TaskReturn for () {
    type Output = ();
    type Error = BoxError;

    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}
