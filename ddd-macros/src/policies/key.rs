//! What a cache tells calls apart by, and what it may keep.

use syn::{Expr, GenericParam, Ident, Lit, Signature, Type};

use super::{
    arguments::{self, Argument, Arguments, Lends},
    body::Body,
    policy::{Handle, Policy, What},
};
use crate::errors::Errors;

/// How many arguments can be told apart as a tuple.
const MOST: usize = 12;

/// The key of one policy.
pub(super) enum Key {
    /// None: all calls are alike.
    None,
    /// An expression.
    Written(Expr),
    /// All arguments.
    Arguments(Vec<Part>),
}

/// One argument in a key.
pub(super) struct Part {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) is_borrowed: bool,
}

/// The function around which the policies go.
pub(super) struct Function<'a> {
    pub(super) sig: &'a Signature,
    pub(super) arguments: &'a Arguments,
    pub(super) body: &'a Body,
}

/// The key of `policy`; what is wrong with it is reported.
pub(super) fn check(policy: &Policy, function: &Function<'_>, errors: &mut Errors) -> Key {
    let (written, is_cached) = match &policy.what {
        What::Cached(it) => {
            if let Some(handle) = &it.handle {
                check_handle(handle, function, errors);
            }
            check_value(function, errors);
            (&it.key, true)
        }
        What::RateLimited(it) => {
            if let Some(handle) = &it.handle {
                check_place(handle, function, errors);
                check_keyless(handle, it.key.is_some(), errors);
            }
            (&it.key, false)
        }
        What::Judging { .. } | What::Plain => return Key::None,
    };
    match written {
        Some(key) => {
            check_constant(key, is_cached, errors);
            // A limit only looks at its key.
            if is_cached {
                check_lent(key, function.arguments, errors);
            }
            Key::Written(key.clone())
        }
        None if is_cached => all(policy, function.arguments, errors),
        None => Key::None,
    }
}

/// A handle is a constant, for all that the function is instantiated for.
fn check_handle(handle: &Handle, function: &Function<'_>, errors: &mut Errors) {
    let generics = &function.sig.generics;
    let is_hidden = |it: &Argument| arguments::is_hidden(&it.ty);
    if generics.params.iter().any(|it| !matches!(it, GenericParam::Lifetime(_)))
        || function.arguments.all.iter().any(is_hidden)
    {
        let message = "a handle is one constant, and a generic function has a cache for each of its types; leave `handle` out, or write a function for each type";
        errors.at(handle.name.span(), message);
    }
    check_place(handle, function, errors);
}

fn check_place(handle: &Handle, function: &Function<'_>, errors: &mut Errors) {
    if function.arguments.receiver.is_some() && !handle.of_self {
        let name = &handle.name;
        errors.at(name.span(), format!("the handle of a method stands beside it; write `handle = Self::{name}: …`"));
    }
}

/// A limit without a key is one for all callers, and so is its handle.
fn check_keyless(handle: &Handle, has_key: bool, errors: &mut Errors) {
    let is_unit = matches!(&handle.key, Type::Tuple(it) if it.elems.is_empty());
    if !has_key && !is_unit {
        let path = if handle.of_self { "Self::" } else { "" };
        let message = format!(
            "this limit has no `key`, so its handle has none either; write `handle = {path}{}: ()`, or a `key`",
            handle.name
        );
        errors.on(&handle.key, message);
    }
}

/// What is kept outlives the call.
fn check_value(function: &Function<'_>, errors: &mut Errors) {
    let output = &function.body.output;
    if arguments::is_hidden(output) {
        errors.on(output, "a cache keeps values of a type with a name; write that type instead of `impl …`");
    } else if arguments::lends(output) {
        errors.on(
            output,
            "what a cache keeps outlives the call, so nothing in it can be borrowed; return `String`, `Vec<T>` or `Arc<T>`",
        );
    }
}

/// A text is the same for every call; elsewhere it would be a template.
fn check_constant(key: &Expr, is_cached: bool, errors: &mut Errors) {
    if !matches!(key, Expr::Lit(it) if matches!(it.lit, Lit::Str(_))) {
        return;
    }
    let message = if is_cached {
        "a key is an expression, and this text is the same for every call, so all would get one value; write `key = format!(…)` or the arguments themselves, or `key = ()` if that is meant"
    } else {
        "a key is an expression, and this text is the same for every call; write `key = format!(…)` or the arguments themselves, or leave `key` out if all callers share the limit"
    };
    errors.on(key, message);
}

/// An argument that is borrowed cannot be kept as it is.
fn check_lent(key: &Expr, arguments: &Arguments, errors: &mut Errors) {
    let parts: Vec<_> = match key {
        Expr::Tuple(it) => it.elems.iter().collect(),
        Expr::Paren(it) => vec![&*it.expr],
        it => vec![it],
    };
    for part in parts {
        let Expr::Path(path) = part else { continue };
        let named = |it: &&Argument| it.bound.iter().any(|name| path.path.is_ident(name));
        if arguments.all.iter().filter(|it| it.is_plain && it.lends != Lends::Nothing).any(|it| named(&it)) {
            let name = path.path.require_ident().map(ToString::to_string).unwrap_or_default();
            errors.on(part, format!("a key is kept, and `{name}` is borrowed; write `{name}.to_owned()`"));
        }
    }
}

/// The key of a cache that names none.
fn all(policy: &Policy, arguments: &Arguments, errors: &mut Errors) -> Key {
    let names: Vec<_> = arguments.all.iter().flat_map(|it| &it.bound).map(ToString::to_string).collect();
    if arguments.receiver.is_some() {
        let (whole, rest) = match names.len() {
            0 => ("self.id".to_owned(), "()".to_owned()),
            1 => (format!("(self.id, {})", names[0]), names[0].clone()),
            _ => (format!("(self.id, {})", names.join(", ")), format!("({})", names.join(", "))),
        };
        let message = format!(
            "a method is called on many values, so its cache needs a `key` that tells them apart; write for example `key = {whole}`, or `key = {rest}` if the result does not depend on `self`"
        );
        errors.at(policy.span, message);
        return Key::None;
    }
    if names.len() > MOST {
        let message = format!(
            "a key has at most {MOST} parts; write those that tell calls apart, such as `key = ({}, {})`",
            names[0], names[1]
        );
        errors.at(policy.span, message);
        return Key::None;
    }
    let mut parts = Vec::new();
    for argument in &arguments.all {
        match part(argument) {
            Ok(part) => parts.push(part),
            Err(reason) => {
                let message = format!("{reason}; write what tells calls apart, such as `#[cached(key = id)]`");
                errors.on(&argument.ty, message);
            }
        }
    }
    Key::Arguments(parts)
}

fn part(argument: &Argument) -> Result<Part, &'static str> {
    let [ident] = &*argument.bound else { return Err("a pattern is no key") };
    let ty = match (&argument.ty, argument.lends) {
        _ if !argument.is_plain => return Err("a pattern is no key"),
        (_, Lends::Exclusive) => return Err("what the body changes is no key"),
        (Type::Reference(it), _) => &*it.elem,
        (it, _) => it,
    };
    if arguments::is_hidden(ty) {
        return Err("a type without a name is no key");
    }
    if matches!(ty, Type::Path(it) if ["f32", "f64"].iter().any(|name| it.path.is_ident(name))) {
        return Err("a number with a fraction is no key, its `to_bits()` is one");
    }
    if arguments::lends(ty) {
        return Err("a key is kept, and this is borrowed");
    }
    Ok(Part { ident: ident.clone(), ty: ty.clone(), is_borrowed: argument.lends == Lends::Shared })
}
