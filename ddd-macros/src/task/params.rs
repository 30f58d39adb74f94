//! The parameters of a task: those that are stored, and those that the application provides.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{FnArg, Ident, Pat, PatType, Type};

use super::{
    fields::{self, Attrs},
    types,
};
use crate::errors::Errors;

/// One argument of the function, in order.
pub(super) enum Param {
    /// A field of the struct.
    Stored(Stored),
    /// From the application.
    Injected(Injected),
}

/// A parameter that the caller gives.
pub(super) struct Stored {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) attrs: Vec<TokenStream>,
    pub(super) garde: bool,
    /// Whether a `#[serde]` stands there.
    pub(super) serde: bool,
    /// Under which names it stands in JSON; the first is how it is written.
    pub(super) keys: Vec<String>,
    pub(super) secret: bool,
    /// Whether it may be absent.
    pub(super) optional: bool,
}

/// A parameter that the application provides.
pub(super) struct Injected {
    pub(super) ident: Ident,
    /// The type, `&` taken off.
    pub(super) ty: Type,
    pub(super) by_reference: bool,
}

/// Checks all parameters.
pub(super) fn check<'a>(inputs: impl IntoIterator<Item = &'a FnArg>, errors: &mut Errors) -> Vec<Param> {
    let params: Vec<Param> = inputs
        .into_iter()
        .filter_map(|arg| match arg {
            FnArg::Receiver(it) => {
                errors.on(
                    it,
                    "a task is a free function: `self` cannot be stored; move the function out of the `impl`, and take what it needs as parameters, `#[inject]` before what the application provides",
                );
                None
            }
            FnArg::Typed(it) => check_one(it, errors),
        })
        .collect();
    check_keys(&params, errors);
    params
}

fn check_one(param: &PatType, errors: &mut Errors) -> Option<Param> {
    let ident = check_pattern(&param.pat, errors);
    let attrs = Attrs::read(&param.attrs, errors);
    let name = ident.clone().unwrap_or_else(|| Ident::new("it", proc_macro2::Span::call_site()));
    if attrs.inject.is_some() {
        for attr in &attrs.moved {
            if !attr.path().is_ident("doc") {
                errors
                    .on(attr, format!("`{name}` comes from the application and is no field; leave this attribute out"));
            }
        }
        if let Some(secret) = attrs.secret {
            errors.on(secret, format!("`{name}` comes from the application and is never shown; leave `#[secret]` out"));
        }
        let (ty, by_reference) = check_injected(&name, &param.ty, errors);
        return ident.map(|ident| Param::Injected(Injected { ident, ty, by_reference }));
    }
    check_stored(&name, &param.ty, errors);
    let ident = ident?;
    let name = attrs.rename.as_ref().map_or_else(|| fields::json_name(&ident), syn::LitStr::value);
    let keys = std::iter::once(name).chain(attrs.aliases.iter().map(syn::LitStr::value)).collect();
    Some(Param::Stored(Stored {
        ident,
        ty: (*param.ty).clone(),
        attrs: attrs.moved.iter().map(ToTokens::to_token_stream).collect(),
        garde: attrs.garde,
        serde: attrs.serde,
        keys,
        secret: attrs.secret.is_some(),
        optional: attrs.default || is_option(&param.ty),
    }))
}

fn check_pattern(pat: &Pat, errors: &mut Errors) -> Option<Ident> {
    match pat {
        Pat::Ident(it) if it.by_ref.is_none() && it.subpat.is_none() => return Some(it.ident.clone()),
        Pat::Wild(_) => errors.on(pat, "a parameter becomes a field and needs a name; write `_name`"),
        _ => errors.on(
            pat,
            "a parameter becomes a field and needs a name; write `name: Type`, and take it apart in the body: `let … = name;`",
        ),
    }
    None
}

fn check_stored(name: &Ident, ty: &Type, errors: &mut Errors) {
    match ty {
        Type::ImplTrait(_) => errors.on(
            ty,
            format!("`{name}` becomes a field, and `impl …` is no type of a field; write a type, such as `String`"),
        ),
        Type::Reference(it) if matches!(*it.elem, Type::TraitObject(_)) => errors.on(
            ty,
            format!("`{name}` is stored before the task runs, and `dyn …` cannot be; write a type, or provide and inject it: `#[inject] {name}: &std::sync::Arc<{}>`", types::text(&it.elem)),
        ),
        Type::Reference(it) => errors.on(
            ty,
            format!(
                "`{name}` is stored before the task runs; write `{}`, or mark it `#[inject]` if the application provides it",
                types::owned(&it.elem)
            ),
        ),
        _ => types::check_param(name, ty, errors),
    }
}

fn check_injected(name: &Ident, ty: &Type, errors: &mut Errors) -> (Type, bool) {
    let Type::Reference(reference) = ty else {
        types::check_injected(name, ty, errors);
        return (ty.clone(), false);
    };
    let inner = types::text(&reference.elem);
    if reference.mutability.is_some() {
        errors.on(
            ty,
            format!("`{name}` is shared by all tasks that run; write `&{inner}`, with a `Mutex` inside if it changes"),
        );
    } else if reference.lifetime.is_some() {
        errors.on(ty, format!("`{name}` is borrowed for the length of the call; write `&{inner}`"));
    } else if matches!(*reference.elem, Type::TraitObject(_)) {
        errors.on(ty, format!("a `{inner}` has no size of its own; provide and write `&std::sync::Arc<{inner}>`"));
    } else {
        types::check_injected(name, &reference.elem, errors);
    }
    ((*reference.elem).clone(), true)
}

/// Two fields of one name in JSON could not be told apart.
fn check_keys(params: &[Param], errors: &mut Errors) {
    let mut seen = BTreeMap::new();
    for param in params {
        let Param::Stored(param) = param else { continue };
        for key in &param.keys {
            match seen.insert(key.as_str(), &param.ident) {
                Some(first) if *first != param.ident => errors.at(
                    param.ident.span(),
                    format!("`{first}` and `{}` are both `{key}` in JSON; give one another name", param.ident),
                ),
                _ => {}
            }
        }
    }
}

/// Whether serde lets it be absent. An alias of `Option` is not seen: then `#[serde(default)]` says it.
fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(it) if it.path.segments.last().is_some_and(|it| it.ident == "Option"))
}
