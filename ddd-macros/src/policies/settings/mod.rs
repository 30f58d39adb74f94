//! What the attributes say, checked: one file for each that has much to say.

use proc_macro2::Span;
use syn::Path;

use super::{
    kind::Kind,
    parse::Args,
    policy::{Policy, Setting, Value, What},
};
use crate::{errors::Errors, options::Found};

mod cached;
mod circuit_breaker;
mod handle;
mod rate_limited;
mod reader;
mod retry;

use reader::{NEW, Settings, at_least_one, policy_name, whole};

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
