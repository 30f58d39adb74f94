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
    T: Serialize + DeserializeOwned + JsonSchema + Send + 'static,
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
