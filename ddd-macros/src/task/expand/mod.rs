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
    let function = function(task);
    let command = command::command(task, &private);
    let registration = registration::registration(task, &private);
    quote!(#function #command #registration)
}

/// The function as it is. A task owns what it is given, so a plain function that only reads it is not to be blamed.
fn function(task: &Task<'_>) -> Option<TokenStream> {
    let function = task.function;
    match task.body {
        Body::Remote => None,
        Body::Blocking => Some(quote!(#[allow(clippy::needless_pass_by_value)] #function)),
        Body::Async => Some(quote!(#function)),
    }
}

/// The path of what generated code may touch.
fn private(task: &Task<'_>) -> TokenStream {
    match &task.krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::ddd_core::__private),
    }
}
