//! What the attributes say, checked: one file for each that has much to say.

use proc_macro2::Span;
use syn::{Path, Result};

use super::{
    kind::Kind,
    parse::Args,
    policy::{Policy, Setting, Value, What},
};
use crate::{
    errors::Errors,
    name,
    options::{Found, Options, list},
    suggest,
};

mod cached;
mod circuit_breaker;
mod handle;
mod rate_limited;
mod retry;

/// The constructor of settings that need nothing.
const NEW: Setting = Setting { name: "new", value: Value::Nothing };

/// Checks what one attribute says; what is wrong with it is reported.
pub(super) fn check(args: &Args, errors: &mut Errors) -> Policy {
    let options = &args.options;
    let mut settings = Settings { options, said: Vec::new(), errors };
    let (start, what) = match args.kind {
        Kind::Cached => (NEW, cached::check(&mut settings)),
        Kind::RateLimited => rate_limited::check(&mut settings, args),
        Kind::Retry => retry::check(&mut settings),
        Kind::CircuitBreaker => (NEW, circuit_breaker::check(&mut settings)),
        Kind::Timeout => timeout(&mut settings, args.span),
        Kind::Bulkhead => bulkhead(&mut settings, args.span),
    };
    let settings = settings.said;
    let name = options.take("name", errors, policy_name);
    let krate = options.take("crate", errors, |it| it.parsed::<Path>("is a path"));
    Policy { kind: args.kind, span: args.span, name, start, settings, what, krate }
}

/// The settings of one attribute while they are read.
struct Settings<'a> {
    options: &'a Options,
    said: Vec<Setting>,
    errors: &'a mut Errors,
}

impl<'a> Settings<'a> {
    /// Takes over the option `name` as `read` reads it, if it is written and right.
    fn take<T: Copy>(
        &mut self,
        name: &'static str,
        value: impl FnOnce(T) -> Value,
        read: impl FnOnce(Found<'a>) -> Result<T>,
    ) -> Option<T> {
        let read = self.options.take(name, self.errors, read)?;
        self.said.push(Setting { name, value: value(read) });
        Some(read)
    }

    /// The same for one that does not become a setting of the runtime's.
    fn read<T>(&mut self, name: &str, read: impl FnOnce(Found<'a>) -> Result<T>) -> Option<T> {
        self.options.take(name, self.errors, read)
    }

    /// Where the option `name` is, if it is written.
    fn written(&self, name: &str) -> Option<Span> {
        self.options.get(name).map(Found::span)
    }

    /// `scope = "local"`, which is how it is anyway, or `"shared"`.
    fn scope(&mut self) {
        let words = &[("local", false), ("shared", true)];
        if self.read("scope", |it| choose(it, "scope", words)) == Some(true) {
            self.said.push(Setting { name: "shared", value: Value::Nothing });
        }
    }

    /// One of a few words, each a variant of the runtime's enum `of`.
    fn choice(
        &mut self,
        name: &'static str,
        of: &'static str,
        words: &'static [(&'static str, &'static str)],
    ) -> Option<&'static str> {
        self.take(name, |variant| Value::Variant(of, variant), |it| choose(it, name, words))
    }
}

fn choose<T: Copy>(it: Found<'_>, name: &str, words: &[(&'static str, T)]) -> Result<T> {
    let text = it.text()?.value();
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let names = words.iter().map(|(word, _)| *word);
    let near = suggest::nearest(&text, names.clone()).or_else(|| names.clone().next()).unwrap_or_default();
    Err(it.wrong(format!("`{text}` is none of {}; write for example `{name} = \"{near}\"`", list(names))))
}

fn timeout(settings: &mut Settings<'_>, span: Span) -> (Setting, What) {
    if settings.options.lacks("duration") {
        settings.errors.at(span, "a timeout needs a duration; write `#[timeout(\"2s\")]`");
    }
    let duration = settings.read("duration", Found::positive_duration).unwrap_or_default();
    (Setting { name: "new", value: Value::Duration(duration) }, What::Plain)
}

fn bulkhead(settings: &mut Settings<'_>, span: Span) -> (Setting, What) {
    if settings.options.lacks("limit") {
        settings.errors.at(span, "a bulkhead needs the number of calls that may run at once; write `#[bulkhead(10)]`");
    }
    let limit = settings.read("limit", |it| at_least_one(it, "at least one call must be able to run"));
    let queue =
        settings.take("queue", Value::Integer, |it| whole(it, 0, "a queue has room for some calls, or for none"));
    let wait = settings.take("wait", Value::Duration, Found::duration);
    let (queues, waits) = (queue.is_some_and(|it| it > 0), wait.is_some_and(|it| !it.is_zero()));
    if let (Some(at), true, false) = (settings.written("wait"), waits, queues) {
        settings
            .errors
            .at(at, "no call can wait without room to wait; write `queue = 100` beside it, or leave `wait` out");
    }
    if let (Some(at), true, false) = (settings.written("queue"), queues, waits) {
        settings
            .errors
            .at(at, "nothing says how long a call may wait; write `wait = \"1s\"` beside it, or leave `queue` out");
    }
    (Setting { name: "new", value: Value::Integer(limit.unwrap_or(1)) }, What::Plain)
}

fn policy_name(it: Found<'_>) -> Result<String> {
    let text = it.text()?.value();
    match name::check(&text) {
        Ok(()) => Ok(text),
        Err(reason) => Err(it.wrong(format!("{reason}; write for example `name = \"user_profile\"`"))),
    }
}

/// A number from 1 up.
fn at_least_one(it: Found<'_>, rule: &str) -> Result<u64> {
    whole(it, 1, rule)
}

fn whole(it: Found<'_>, least: u32, rule: &str) -> Result<u64> {
    match u32::try_from(it.integer()?) {
        Ok(number) if number >= least => Ok(u64::from(number)),
        _ => Err(it.wrong(format!("{rule}; write a number from {least} to {}", u32::MAX))),
    }
}

/// A part of all calls, over 0 and at most 1.
fn share(it: Found<'_>, name: &str) -> Result<f64> {
    let share = it.float()?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err(it
            .wrong(format!("`{name}` is a part of all calls, over 0 and at most 1; write for example `{name} = 0.5`")))
    }
}
