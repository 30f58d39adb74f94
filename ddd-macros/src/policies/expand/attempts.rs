//! What each attempt of a retry is given.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::receiver;
use crate::policies::{
    arguments::{Argument, Lends, mentions},
    policy::{Policy, What},
    valid::Wrapped,
};

/// The arguments once more: a copy of what is the function's own, a new loan of what it may change. What is lent to read only
/// can be used as often as it likes.
pub(super) fn again(wrapped: &Wrapped<'_>, index: usize) -> Vec<TokenStream> {
    let mentioned = mentioned(wrapped, index);
    let mut all: Vec<_> = receiver::copy(wrapped).into_iter().collect();
    for argument in repeated(wrapped) {
        for name in argument.bound.iter().filter(|it| mentions(&mentioned, it)) {
            // As it is written: without `mut` where the body changes nothing, the user is told so.
            let span = argument.ty.span().resolved_at(Span::mixed_site());
            let value = match argument.lends {
                Lends::Exclusive => quote!(&mut *#name),
                _ => quote_spanned!(span=> __ddd::again(&#name)),
            };
            let mutable = argument.is_mutable(name).then(|| quote!(mut));
            all.push(quote!(let #mutable #name = #value;));
        }
    }
    all
}

/// Those that are not simply lent.
fn repeated<'a>(wrapped: &'a Wrapped<'_>) -> impl Iterator<Item = &'a Argument> {
    wrapped.arguments.all.iter().filter(|it| it.lends != Lends::Shared)
}

/// All that runs in an attempt, and may name an argument.
fn mentioned(wrapped: &Wrapped<'_>, index: usize) -> TokenStream {
    let inner = wrapped.policies[index + 1..].iter().map(|it| expressions(&it.policy));
    let body = &wrapped.body.statements;
    quote!(#body #(#inner)*)
}

fn expressions(policy: &Policy) -> TokenStream {
    match &policy.what {
        What::Cached(it) => {
            let (key, tags, store_if, weigh) = (&it.key, &it.tags, &it.store_if, &it.weigh);
            quote!(#key #(#tags)* #store_if #weigh)
        }
        What::RateLimited(it) => {
            let (key, weight) = (&it.key, &it.weight);
            quote!(#key #weight)
        }
        What::Judging { when } => quote!(#when),
        What::Plain => TokenStream::new(),
    }
}
