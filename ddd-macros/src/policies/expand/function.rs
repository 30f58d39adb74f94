//! The function around the new body: as it was written, but for what the new body makes superfluous.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, Pat, Type};

use super::receiver::{self, Attempted};
use crate::policies::{kind::Kind, valid::Wrapped};

/// The function with another body.
pub(super) fn with_body(wrapped: &Wrapped<'_>, body: &TokenStream) -> TokenStream {
    let function = wrapped.function;
    let (attrs, vis) = (&function.attrs, &function.vis);
    let mut sig = function.sig.clone();
    if wrapped.policies.iter().any(|it| it.policy.kind == Kind::Retry) {
        // Each attempt has its own variables, and it is those that may change.
        let is_copied = receiver::attempted(wrapped) == Some(Attempted::Copied);
        for input in &mut sig.inputs {
            match input {
                FnArg::Typed(it) => without_mut(&mut it.pat),
                FnArg::Receiver(it) if is_copied => it.mutability = None,
                FnArg::Receiver(_) => {}
            }
        }
    }
    quote!(#(#attrs)* #vis #sig #body)
}

fn without_mut(pat: &mut Pat) {
    match pat {
        Pat::Ident(it) => {
            if it.by_ref.is_none() {
                it.mutability = None;
            }
            if let Some((_, inner)) = &mut it.subpat {
                without_mut(inner);
            }
        }
        Pat::Tuple(it) => it.elems.iter_mut().for_each(without_mut),
        Pat::TupleStruct(it) => it.elems.iter_mut().for_each(without_mut),
        Pat::Struct(it) => it.fields.iter_mut().for_each(|it| without_mut(&mut it.pat)),
        Pat::Slice(it) => it.elems.iter_mut().for_each(without_mut),
        Pat::Reference(it) => without_mut(&mut it.pat),
        Pat::Paren(it) => without_mut(&mut it.pat),
        _ => {}
    }
}

/// A type with `_` for each `impl Trait` in it.
pub(super) fn without_hidden(ty: &Type) -> TokenStream {
    let tokens = ty.to_token_stream();
    erase(tokens)
}

/// From `impl` up to the end of its bounds: a comma, or a closing bracket, of the same depth.
fn erase(tokens: TokenStream) -> TokenStream {
    let mut erased = TokenStream::new();
    let mut depth = None;
    for token in tokens {
        if let Some(open) = &mut depth {
            match &token {
                TokenTree::Punct(it) if it.as_char() == '<' => *open += 1,
                TokenTree::Punct(it) if it.as_char() == '>' && *open > 0 => *open -= 1,
                TokenTree::Punct(it) if matches!(it.as_char(), ',' | '>') && *open == 0 => {
                    depth = None;
                    token.to_tokens(&mut erased);
                }
                _ => {}
            }
            continue;
        }
        match token {
            TokenTree::Ident(it) if it == "impl" => {
                depth = Some(0u32);
                let span = it.span().resolved_at(Span::mixed_site());
                syn::Token![_](span).to_tokens(&mut erased);
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), erase(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner).to_tokens(&mut erased);
            }
            other => other.to_tokens(&mut erased),
        }
    }
    erased
}
