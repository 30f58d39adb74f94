//! The rules of `#[task]`. What passes them can be expanded without fail.

use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, Meta, Path, Result, ReturnType, Safety, Type, ext::IdentExt, spanned::Spanned,
};

use super::{
    params::{self, Param},
    parse::Args,
    settings::{self, Settings},
    types,
};
use crate::{errors::Errors, name, options::Found, signature::Function};

/// A task that keeps all rules.
pub(super) struct Task<'a> {
    pub(super) function: &'a Function,
    pub(super) name: String,
    /// The name of the struct.
    pub(super) command: Ident,
    pub(super) params: Vec<Param>,
    /// What the function returns; `()` if nothing is written.
    pub(super) returns: Option<&'a Type>,
    pub(super) body: Body,
    pub(super) settings: Settings,
    /// Another path to the runtime, if one is written.
    pub(super) krate: Option<Path>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Async,
    Blocking,
    Remote,
}

/// Checks everything; all that is wrong is reported at once.
pub(super) fn check(args: Args, function: &Function) -> Result<Task<'_>> {
    let Args { name, options, mut errors } = args;
    let sig = &function.sig;
    check_qualifiers(function, &mut errors);
    let params = params::check(&sig.inputs, &mut errors);
    let returns = match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => {
            types::check_return(ty, &mut errors);
            Some(&**ty)
        }
    };
    let settings = settings::check(&options, &mut errors);
    check_schedule(&settings, &params, options.get("schedule"), &mut errors);
    let remote = options.get("remote");
    options.take("remote", &mut errors, Found::flag);
    let body = check_body(function, remote, &mut errors);
    if body == Body::Remote {
        check_remote(&params, options.get("schedule"), &mut errors);
    }
    if let (Some(first), Some(second)) = (&name, options.get("name")) {
        errors.at(second.span(), format!("the name is written twice; leave `{}` or this out", first.token()));
    }
    let written = options.take("name", &mut errors, Found::text).or(name);
    let name = check_name(written.as_ref(), &sig.ident, &mut errors);
    let command = options.take("command", &mut errors, |it| it.parsed::<Ident>("is the name of a struct"));
    let krate = options.take("crate", &mut errors, |it| it.parsed::<Path>("is a path"));
    let command = command.unwrap_or_else(|| sig.ident.clone());
    errors.finish(Task { function, name, command, params, returns, body, settings, krate })
}

fn check_qualifiers(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(it) = &sig.constness {
        errors.on(it, "a task runs when its turn comes, not while the program is compiled; leave `const` out");
    }
    if let Safety::Unsafe(it) = &sig.safety {
        errors.on(
            it,
            "a worker cannot vouch for what an `unsafe` function asks of its caller; leave `unsafe` out, and write an `unsafe` block in the body",
        );
    }
    if let Some(it) = &sig.abi {
        errors.on(it, "a task is called by Rust; leave `extern` out");
    }
    if let Some(it) = &sig.variadic {
        errors.on(it, "a task has a fixed list of parameters; leave `...` out, and take a `Vec`");
    }
    if !sig.generics.params.is_empty() {
        errors.on(
            &sig.generics,
            "a task is registered once, under one name, so it cannot be generic; leave this out and write the types, one task for each",
        );
    }
    if let Some(it) = &sig.generics.where_clause {
        errors.on(it, "a task is not generic, so there is nothing to bound; leave `where` out");
    }
}

fn check_body(function: &Function, remote: Option<Found<'_>>, errors: &mut Errors) -> Body {
    match (&function.body, remote) {
        (None, Some(_)) => Body::Remote,
        (None, None) => {
            errors.on(
                function.sig.fn_token,
                "a task needs a body; write one, or `#[task(remote)]` if it lives in another binary",
            );
            Body::Remote
        }
        (Some(body), Some(_)) => {
            let message = "a task with `remote` has its body in another binary; write `;` instead of this one, or leave `remote` out";
            errors.at(body_start(body), message);
            Body::Async
        }
        (Some(_), None) if function.sig.asyncness.is_some() => Body::Async,
        (Some(_), None) => Body::Blocking,
    }
}

/// The opening brace: an error over the whole body would hide the rest of the function.
fn body_start(body: &proc_macro2::TokenTree) -> proc_macro2::Span {
    match body {
        proc_macro2::TokenTree::Group(it) => it.span_open(),
        other => other.span(),
    }
}

fn check_remote(params: &[Param], schedule: Option<Found<'_>>, errors: &mut Errors) {
    for param in params {
        if let Param::Injected(it) = param {
            errors.at(
                it.ident.span(),
                format!(
                    "`{}` is needed where the body is, in another binary; leave it out of this declaration",
                    it.ident
                ),
            );
        }
    }
    if let Some(it) = schedule {
        errors.at(it.span(), "the binary that has the body keeps the schedule; write `schedule` there, not here");
    }
}

/// A tick has no parameters to give.
fn check_schedule(settings: &Settings, params: &[Param], written: Option<Found<'_>>, errors: &mut Errors) {
    if settings.schedule.is_none() && written.is_none() {
        return;
    }
    for param in params {
        if let Param::Stored(it) = param
            && !it.optional
        {
            errors.at(
                it.ident.span(),
                format!(
                    "a scheduled task runs without parameters; write `#[serde(default)]` before `{}`, make it an `Option`, or mark it `#[inject]` if the application provides it",
                    it.ident
                ),
            );
        }
    }
}

fn check_name(written: Option<&syn::LitStr>, function: &Ident, errors: &mut Errors) -> String {
    let name = written.map_or_else(|| function.unraw().to_string(), syn::LitStr::value);
    if let Err(reason) = name::check(&name) {
        let span = written.map_or_else(|| function.span(), Spanned::span);
        errors.at(span, format!("{reason}; write for example `#[task(\"send_email\")]`"));
    }
    name
}

impl Task<'_> {
    /// The function's attributes of that name.
    pub(super) fn attrs<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Attribute> {
        self.function.attrs.iter().filter(move |it| it.path().is_ident(name))
    }

    /// The lines of the function's documentation: the texts, and the expressions that yield a text.
    pub(super) fn doc(&self) -> Vec<Doc<'_>> {
        self.attrs("doc")
            .filter_map(|it| match &it.meta {
                Meta::NameValue(it) => Some(match &it.value {
                    Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => {
                        let line = line.value();
                        Doc::Text(line.strip_prefix(' ').map_or_else(|| line.clone(), str::to_owned))
                    }
                    other => Doc::Expr(other),
                }),
                _ => None,
            })
            .collect()
    }

    /// Whether a rule of garde's stands on a parameter.
    pub(super) fn has_garde(&self) -> bool {
        self.stored().any(|it| it.garde)
    }

    /// Whether nothing but the types of the parameters decides how they are read: then generated code can do without the
    /// derived implementation, which is by far the largest part of what a task costs to compile.
    pub(super) fn is_plain(&self) -> bool {
        self.stored().count() <= 12 && !self.stored().any(|it| it.serde)
    }

    /// The parameters that become fields.
    pub(super) fn stored(&self) -> impl Iterator<Item = &params::Stored> {
        self.params.iter().filter_map(|it| match it {
            Param::Stored(it) => Some(it),
            Param::Injected(_) => None,
        })
    }

    /// The parameters that the application provides.
    pub(super) fn injected(&self) -> impl Iterator<Item = &params::Injected> {
        self.params.iter().filter_map(|it| match it {
            Param::Injected(it) => Some(it),
            Param::Stored(_) => None,
        })
    }

    /// The tokens of what the function returns.
    pub(super) fn output(&self) -> proc_macro2::TokenStream {
        self.returns.map_or_else(|| quote::quote!(()), ToTokens::to_token_stream)
    }
}

/// One line of documentation.
pub(super) enum Doc<'a> {
    Text(String),
    /// Such as `include_str!("task.md")`.
    Expr(&'a Expr),
}
