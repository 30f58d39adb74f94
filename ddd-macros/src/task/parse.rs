//! What is written between the parentheses of `#[task(…)]`, not yet checked.

use proc_macro2::TokenStream;
use syn::{
    LitStr, Result, Token,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

use crate::{
    errors::Errors,
    options::{Known, Options, Written},
};

/// The options of `#[task]`, and how each is written.
const OPTIONS: &[Known] = &[
    ("name", "name = \"send_email\""),
    ("queue", "queue = \"mail\""),
    ("priority", "priority = 5"),
    ("timeout", "timeout = \"5m\""),
    ("retry", "retry(max_attempts = 5, delay = \"1s\")"),
    ("unique", "unique(by = parameters, until = finished)"),
    ("concurrency", "concurrency(limit = 2, key = tenant)"),
    ("result_ttl", "result_ttl = \"2h\""),
    ("schedule", "schedule(cron = \"0 3 * * *\", tz = \"Europe/Berlin\")"),
    ("version", "version = 2"),
    ("category", "category = \"billing\""),
    ("tags", "tags(\"slow\", \"mail\")"),
    ("internal", "internal"),
    ("remote", "remote"),
    ("command", "command = SendEmail"),
    ("crate", "crate = my_facade::ddd_core"),
];

/// The arguments of the attribute as they are written.
pub(super) struct Args {
    /// The text that stands first.
    pub(super) name: Option<LitStr>,
    pub(super) options: Options,
    /// What is wrong so far.
    pub(super) errors: Errors,
}

/// Reads the arguments.
pub(super) fn read(tokens: TokenStream) -> Args {
    let mut errors = Errors::default();
    let (name, list) = errors.take(arguments.parse2(tokens)).unwrap_or_default();
    let options = Options::of(list, "`#[task]`", OPTIONS, &mut errors);
    Args { name, options, errors }
}

fn arguments(input: ParseStream<'_>) -> Result<(Option<LitStr>, Punctuated<Written, Token![,]>)> {
    let name = if input.peek(LitStr) { Some(input.parse()?) } else { None };
    if name.is_some() && !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok((name, Punctuated::parse_terminated(input)?))
}
