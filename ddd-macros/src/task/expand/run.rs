//! The function that a worker calls.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use crate::task::{
    params::Param,
    valid::{Body, Task},
};

/// Parameters and dependencies in, JSON out. No `?`: each would be two more functions for the user's build.
pub(super) fn run(task: &Task<'_>) -> Option<TokenStream> {
    let (future, failed) = match task.body {
        Body::Async => (quote!(__ddd::BodyFuture), quote!(__ddd::failed(failure))),
        Body::Blocking => (quote!(__ddd::BodyResult), quote!(::core::result::Result::Err(failure.into()))),
        Body::Remote => return None,
    };
    let (call, params) = (local("__call"), local("__params"));
    let command = &task.command;
    let take = |value: TokenStream| {
        quote! {
            match #value {
                ::core::result::Result::Ok(it) => it,
                ::core::result::Result::Err(failure) => return #failed,
            }
        }
    };
    let read = take(quote!(<#command as __ddd::Task>::from_params(#call.params())));
    // A task without parameters has nothing to move, yet a record that holds some is refused.
    let read = if task.stored().next().is_some() { quote!(let #params = #read;) } else { quote!(#read;) };
    let dependencies = task.injected().enumerate().map(|(index, it)| {
        let (name, ty) = (dependency(index), &it.ty);
        let value = if it.by_reference {
            take(quote_spanned!(ty.span()=> #call.dependency::<#ty>()))
        } else {
            take(quote_spanned!(ty.span()=> __ddd::injected::<#ty>(&#call)))
        };
        quote!(let #name = #value;)
    });
    let returned = returned(task, &params);
    let output = task.output();
    let error = quote_spanned!(output.span()=> <#output as __ddd::TaskReturn>::Error);
    // At the return type, where the compiler has just said the same if it cannot be returned: it says it once.
    let settle = if task.body == Body::Async { quote!(boxed) } else { quote!(settle) };
    let settle = quote_spanned!(output.span()=>
        __ddd::#settle(#returned, (&&__ddd::ErrorTag::<#error>::new()).convert())
    );
    Some(quote! {
        fn __run(#call: __ddd::Call) -> #future {
            use __ddd::{ByKind as _, ByNothing as _, ByText as _};
            #read
            #(#dependencies)*
            #settle
        }
    })
}

/// The call of the function: a value, or a future if it is asynchronous.
fn returned(task: &Task<'_>, params: &Ident) -> TokenStream {
    let mut index = 0;
    let args = task.params.iter().map(|param| match param {
        Param::Stored(it) => {
            let ident = &it.ident;
            quote!(#params.#ident)
        }
        Param::Injected(it) => {
            let name = dependency(index);
            index += 1;
            if it.by_reference { quote!(&#name) } else { name.to_token_stream() }
        }
    });
    let function = &task.function.sig.ident;
    let call = quote_spanned!(function.span()=> #function(#(#args),*));
    if task.body == Body::Async && task.injected().any(|it| it.by_reference) {
        // What is borrowed must live as long as the future.
        quote!(async move { #call.await })
    } else {
        call
    }
}

/// A variable that the user's names cannot meet.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The same, one of several.
pub(super) fn numbered(name: &str, index: usize) -> Ident {
    format_ident!("{name}{index}", span = Span::mixed_site())
}

fn dependency(index: usize) -> Ident {
    numbered("__dependency", index)
}
