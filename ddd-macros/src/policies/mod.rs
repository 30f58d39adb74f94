//! `#[cached]`, `#[rate_limited]`, `#[retry]`, `#[circuit_breaker]`, `#[timeout]`, `#[bulkhead]`: the first to expand takes its
//! siblings along ([`stack`]). Then [`parse`] what is written, check it ([`valid`]), [`expand`] what is checked.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{errors::Errors, signature::Function};

mod arguments;
mod body;
mod expand;
mod key;
mod kind;
mod order;
mod parse;
mod policy;
mod settings;
mod stack;
mod valid;

pub(crate) use kind::Kind;

/// The function with its policies around its body; or all that is wrong with it, and the function as it was.
pub(crate) fn attribute(kind: Kind, args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut function = match Function::read(item, kind.usage()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let mut errors = Errors::default();
    let layers = stack::take(kind, args, &mut function, &mut errors);
    match valid::check(&layers, &function, errors) {
        Ok(wrapped) => expand::expand(&wrapped),
        Err(error) => {
            let error = error.into_compile_error();
            let function = function.as_it_is();
            quote!(#error #function)
        }
    }
}
