//! What is written between the parentheses of one of the attributes, not yet checked.

use proc_macro2::{Span, TokenStream};
use syn::{
    ExprLit, Lit, Result, Token,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

use super::{kind::Kind, stack::Layer};
use crate::{
    errors::Errors,
    options::{Found, Known, Options, Written},
};

/// The arguments of one attribute as they are written.
pub(super) struct Args {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) options: Options,
    /// Further limits, each `and(…)`: the only option that may stand there more than once.
    more: Vec<Written>,
}

/// The options of a further limit.
pub(super) const LIMIT: &[Known] = &[("limit", "limit = 500"), ("per", "per = \"1h\"")];

impl Args {
    /// Further limits.
    pub(super) fn more(&self) -> impl Iterator<Item = Found<'_>> {
        self.more.iter().map(|it| it.found("and(500, per = \"1h\")"))
    }
}

/// Reads the arguments of `layer`.
pub(super) fn read(layer: &Layer, errors: &mut Errors) -> Args {
    let kind = layer.kind;
    let written = written(layer.args.clone(), kind.first(), errors);
    let (more, list) = written.into_iter().partition(|it| kind == Kind::RateLimited && it.key == "and");
    let list: Vec<Written> = list;
    Args { kind, span: layer.span, options: Options::of(list, kind.whom(), kind.known(), errors), more }
}

/// Reads what stands in the parentheses of a further limit.
pub(super) fn limit(list: TokenStream, errors: &mut Errors) -> Options {
    Options::of(written(list, Some("limit"), errors), "`and`", LIMIT, errors)
}

fn written(tokens: TokenStream, first: Option<&'static str>, errors: &mut Errors) -> Vec<Written> {
    let parser = |input: ParseStream<'_>| arguments(input, first);
    errors.take(parser.parse2(tokens)).unwrap_or_default()
}

fn arguments(input: ParseStream<'_>, first: Option<&'static str>) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    if let Some(key) = first
        && input.peek(Lit)
    {
        all.push(Written::unnamed(key, ExprLit { attrs: Vec::new(), lit: input.parse()? }));
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    all.extend(Punctuated::<Written, Token![,]>::parse_terminated(input)?);
    Ok(all)
}
