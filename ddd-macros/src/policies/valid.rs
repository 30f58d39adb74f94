//! The rules of the six attributes on one function. What passes them can be expanded without fail.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Path, Result};

use super::{
    arguments::Arguments,
    body::{self, Body, Form},
    key::{self, Key},
    kind::Kind,
    order, parse,
    policy::{Policy, What},
    settings,
    stack::Layer,
};
use crate::{errors::Errors, signature::Function};

/// A function whose policies keep all rules.
pub(super) struct Wrapped<'a> {
    pub(super) function: &'a Function,
    pub(super) arguments: Arguments,
    pub(super) body: Body,
    /// Outermost first.
    pub(super) policies: Vec<Named>,
    /// The paths of the attributes that were taken along.
    pub(super) siblings: Vec<&'a Path>,
    /// Another path to the runtime, if one is written.
    pub(super) krate: Option<Path>,
}

/// A policy, and what the function's other policies add to it.
pub(super) struct Named {
    pub(super) policy: Policy,
    pub(super) name: Option<Name>,
    /// What its cache tells calls apart by.
    pub(super) key: Key,
    /// Whether its cache's fill outlives the caller.
    pub(super) detached: bool,
}

/// The name of a policy.
pub(super) struct Name {
    pub(super) text: String,
    /// Whether it stands in the policy's own attribute.
    pub(super) is_own: bool,
}

/// Checks everything; all that is wrong is reported at once.
pub(super) fn check<'a>(layers: &'a [Layer], function: &'a Function, mut errors: Errors) -> Result<Wrapped<'a>> {
    check_qualifiers(function, &mut errors);
    let sig = &function.sig;
    let arguments = Arguments::of(sig);
    let body = body::of(sig, &statements(function, &mut errors));
    let policies: Vec<_> =
        layers.iter().map(|it| settings::check(&parse::read(it, &mut errors), &mut errors)).collect();
    check_form(&policies, &body, &mut errors);
    order::check(&policies, &mut errors);
    check_repeated(&policies, &mut errors);
    let krate = policies.iter().find_map(|it| it.krate.clone());
    let spread = policies.iter().filter(|it| it.kind != Kind::CircuitBreaker).find_map(|it| it.name.clone());
    let name = |policy: &Policy| match (&policy.name, &spread) {
        (Some(own), _) => Some(Name { text: own.clone(), is_own: true }),
        (None, Some(of_function)) => Some(Name { text: of_function.clone(), is_own: false }),
        (None, None) => None,
    };
    let mut named = Vec::new();
    for policy in policies {
        let function = key::Function { sig, arguments: &arguments, body: &body };
        let key = key::check(&policy, &function, &mut errors);
        let detached = detached(&policy, &function, &mut errors);
        named.push(Named { name: name(&policy), policy, key, detached });
    }
    let siblings = layers.iter().filter_map(|it| it.path.as_ref()).collect();
    errors.finish(Wrapped { function, arguments, body, policies: named, siblings, krate })
}

fn check_qualifiers(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(it) = &sig.constness {
        errors.on(it, "what a policy remembers does not exist while the program is compiled; leave `const` out");
    }
    if let Some(it) = &sig.variadic {
        errors.on(it, "a policy cannot pass on a list of arguments without an end; leave `...` out, and take a slice");
    }
}

/// What stands between the braces.
fn statements(function: &Function, errors: &mut Errors) -> TokenStream {
    match &function.body {
        Some(TokenTree::Group(it)) => it.stream(),
        _ => {
            errors.on(
                function.sig.fn_token,
                "a policy goes around a body; write it on the methods that have one, in the `impl` blocks",
            );
            TokenStream::new()
        }
    }
}

/// What can stand on a function that does not wait.
fn check_form(policies: &[Policy], body: &Body, errors: &mut Errors) {
    if body::returns_future(body) {
        let message = "a policy goes around what the future does, and cannot see where that begins; write `async fn`, or end the body with `async move { … }` or `Box::pin(async move { … })`";
        errors.on(&body.output, message);
        return;
    }
    if !matches!(body.form, Form::Sync) {
        return;
    }
    for policy in policies {
        match (&policy.what, policy.kind) {
            (What::RateLimited(it), _) => {
                if let Some(at) = it.waits {
                    errors
                        .at(at, "a synchronous function would block its thread; write `async fn`, or leave `wait` out");
                }
                if let Some(at) = it.is_shared {
                    let message = "a synchronous function cannot ask a store that all processes share; write `async fn`, or leave `scope` out";
                    errors.at(at, message);
                }
            }
            (What::Cached(it), _) => {
                if it.detached.is_some() {
                    let message =
                        "a synchronous function is run by its caller and by nobody else; leave `detached` out";
                    errors.at(policy.span, message);
                }
                if let Some(at) = it.is_shared {
                    let message = "a synchronous function cannot ask a store that all processes share; write `async fn`, or leave `scope` out";
                    errors.at(at, message);
                }
            }
            (_, kind) => {
                let message = format!(
                    "`#[{}]` waits, and a synchronous function would block its thread; write `async fn`; only `#[cached]` and `#[rate_limited]` go on a synchronous one",
                    kind.name()
                );
                errors.at(policy.span, message);
            }
        }
    }
}

/// Two policies of a kind must be told apart by configuration.
fn check_repeated(policies: &[Policy], errors: &mut Errors) {
    for (index, policy) in policies.iter().enumerate() {
        let mut earlier = policies[..index].iter().filter(|it| it.kind == policy.kind).peekable();
        if earlier.peek().is_none() {
            continue;
        }
        match policy.kind {
            Kind::Cached | Kind::Retry => {
                errors.at(policy.span, format!("`#[{}]` stands there twice; leave one out", policy.kind.name()));
            }
            _ if policy.name.is_none() || earlier.any(|it| it.name == policy.name) => {
                let message = format!(
                    "`#[{0}]` stands there twice; write `name = \"…\"` in this one, so that both can be told apart, or leave one out",
                    policy.kind.name()
                );
                errors.at(policy.span, message);
            }
            _ => {}
        }
    }
}

/// Whether a fill runs on if its caller goes away.
fn detached(policy: &Policy, function: &key::Function<'_>, errors: &mut Errors) -> bool {
    let What::Cached(cached) = &policy.what else { return false };
    if matches!(function.body.form, Form::Sync) {
        return false;
    }
    let is_async = matches!(function.body.form, Form::Async);
    let Some(wanted) = cached.detached else { return is_async && function.arguments.are_owned(function.sig) };
    let borrowed = function.arguments.all.iter().find(|it| super::arguments::lends(&it.ty));
    if let (true, Some(it)) = (wanted, borrowed) {
        let message = "what is borrowed does not outlive the caller, so the fill cannot either; take it by value, or leave `detached` out";
        errors.on(&it.ty, message);
    }
    wanted
}
