//! The function around the new body: as it was written, but for what the new body makes superfluous.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, Pat, Type};

use crate::policies::{kind::Kind, valid::Wrapped};

/// The function with another body.
pub(super) fn with_body(wrapped: &Wrapped<'_>, body: &TokenStream) -> TokenStream {
    let function = wrapped.function;
    let (attrs, vis) = (&function.attrs, &function.vis);
    let mut sig = function.sig.clone();
    if wrapped.policies.iter().any(|it| it.policy.kind == Kind::Retry) {
        // Each attempt has its own variables, and it is those that may change.
        for input in &mut sig.inputs {
            if let FnArg::Typed(it) = input {
                without_mut(&mut it.pat);
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

/// The statements with `let mut __self = self;`, as `#[async_trait]` writes it, made a loan: another attempt needs it again.
pub(super) fn lending_self(statements: &TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = statements.clone().into_iter().collect();
    let is = |index: usize, word: &str| matches!(tokens.get(index), Some(TokenTree::Ident(it)) if it == word);
    let mut lent = TokenStream::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), lending_self(&group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner).to_tokens(&mut lent);
            }
            TokenTree::Ident(it) if it == "self" && index >= 2 && is(index - 2, "__self") => {
                quote!(&mut *#token).to_tokens(&mut lent);
            }
            _ => token.to_tokens(&mut lent),
        }
    }
    lent
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
