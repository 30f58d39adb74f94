//! The policies of one function: the attribute that expands first takes its siblings along.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Meta, Path, spanned::Spanned};

use super::kind::Kind;
use crate::{errors::Errors, signature::Function};

/// One attribute as it is written.
pub(super) struct Layer {
    pub(super) kind: Kind,
    pub(super) args: TokenStream,
    pub(super) span: Span,
    /// Its path, if it is a sibling; the attribute that expands is resolved already.
    pub(super) path: Option<Path>,
}

/// Takes our attributes off `function`: that of `kind` with `args` expands now, and is the outermost of them all, because the
/// compiler expands from top to bottom.
pub(super) fn take(kind: Kind, args: TokenStream, function: &mut Function, errors: &mut Errors) -> Vec<Layer> {
    let mut layers = vec![Layer { kind, args, span: Span::call_site(), path: None }];
    let (ours, others) = std::mem::take(&mut function.attrs).into_iter().partition(|it| Kind::of(it.path()).is_some());
    function.attrs = others;
    let ours: Vec<Attribute> = ours;
    for attr in ours {
        let Some(kind) = Kind::of(attr.path()) else { continue };
        let args = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(it) => it.tokens.clone(),
            Meta::NameValue(it) => {
                errors.on(&it.value, format!("options stand in parentheses; write `#[{}(…)]`", kind.name()));
                TokenStream::new()
            }
        };
        layers.push(Layer { kind, args, span: attr.path().span(), path: Some(attr.path().clone()) });
    }
    layers
}
