//! What a task becomes. Nothing here can fail, and nothing here is an algorithm: the runtime holds those.

use proc_macro2::TokenStream;
use quote::quote;

use super::valid::{Body, Task};

mod command;
mod options;
mod registration;
mod run;

/// The function as it is, the struct, and the registration.
pub(super) fn expand(task: &Task<'_>) -> TokenStream {
    let private = private(task);
    let function = (task.body != Body::Remote).then_some(task.function);
    let command = command::command(task, &private);
    let registration = registration::registration(task, &private);
    quote!(#function #command #registration)
}

/// The path of what generated code may touch.
fn private(task: &Task<'_>) -> TokenStream {
    match &task.krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::ddd_core::__private),
    }
}
