//! `#[task]`: [`parse`] what is written, check it ([`valid`]), [`expand`] what is checked.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::signature::Function;

mod expand;
mod fields;
mod params;
mod parse;
mod settings;
mod types;
mod valid;

/// The item with what `#[task]` adds to it; or all that is wrong with it, and the item as it was.
pub(crate) fn attribute(args: TokenStream, item: &TokenStream) -> TokenStream {
    let function = match Function::read(item, "`#[task]` goes on a function; write `#[task] async fn name(…)`") {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    match valid::check(parse::read(args), &function) {
        Ok(task) => expand::expand(&task),
        Err(error) => {
            let error = error.into_compile_error();
            let item = fallback(&function);
            quote!(#error #item)
        }
    }
}

/// What stands for an item that cannot be expanded, so that its users are not told that it does not exist.
fn fallback(function: &Function) -> TokenStream {
    if function.body.is_some() { function.to_token_stream() } else { fields::bare_struct(function) }
}
