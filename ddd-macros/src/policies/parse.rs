//! What is written between the parentheses of one of the attributes, not yet checked.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    ExprLit, Lit, Result, Token,
    parse::{ParseStream, Parser},
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
    let written = written(layer.args.clone(), kind.first(), &|it| kind.meant(it), errors);
    let (more, list) = written.into_iter().partition(|it| kind == Kind::RateLimited && it.key == "and");
    let list: Vec<Written> = list;
    Args { kind, span: layer.span, options: Options::of(list, kind.whom(), kind.known(), errors), more }
}

/// Reads what stands in the parentheses of a further limit.
pub(super) fn limit(list: TokenStream, errors: &mut Errors) -> Options {
    Options::of(written(list, Some("limit"), &|it| Kind::RateLimited.meant(it), errors), "`and`", LIMIT, errors)
}

/// What an option without a name is probably meant to be, as it is to be written.
type Meant<'a> = &'a dyn Fn(&Lit) -> Option<String>;

fn written(tokens: TokenStream, first: Option<&'static str>, meant: Meant<'_>, errors: &mut Errors) -> Vec<Written> {
    let mut nameless = Vec::new();
    let parser = |input: ParseStream<'_>| arguments(input, first, &mut nameless);
    let all = errors.take(parser.parse2(tokens)).unwrap_or_default();
    for value in nameless {
        let text = value.to_token_stream();
        let hint = match meant(&value) {
            Some(it) => format!("write `{it}`"),
            None => "write which option it is: `name = value`".to_owned(),
        };
        errors.on(&value, format!("nothing says what `{text}` is; {hint}"));
    }
    all
}

/// The first value may stand without a name; later ones that do are put aside.
fn arguments(input: ParseStream<'_>, first: Option<&'static str>, nameless: &mut Vec<Lit>) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    let mut first = first;
    while !input.is_empty() {
        let key = first.take();
        match (input.peek(Lit), key) {
            (true, Some(key)) => {
                all.push(Written::unnamed(key, ExprLit { attrs: Vec::new(), lit: input.parse()? }));
            }
            (true, None) => nameless.push(input.parse()?),
            (false, _) => all.push(input.parse()?),
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(all)
}
