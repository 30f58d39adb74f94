//! `#[rate_limited(…)]`.

use std::time::Duration;

use syn::Expr;

use super::reader::{NEW, Settings, at_least_one, whole};
use crate::{
    options::Found,
    policies::{
        parse::{self, Args},
        policy::{RateLimited, Setting, Value, What},
    },
};

/// Options that stand for a key and the limit of each.
const PRESETS: [&str; 2] = ["by_user", "by_ip"];

/// How many further limits there can be.
const MOST: usize = 3;

/// What is counted.
const LIMIT: &str = "a limit lets at least one call through";

pub(super) fn check(settings: &mut Settings<'_>, args: &Args) -> (Setting, What) {
    let (start, key) = key(settings);
    settings.take("limit", Value::Integer, |it| at_least_one(it, LIMIT));
    settings.take("per", Value::Duration, Found::positive_duration);
    settings.take("burst", Value::Integer, |it| at_least_one(it, "a burst is at least one call"));
    let strategy = settings.choice(
        "strategy",
        "Strategy",
        &[("sliding_window", "SlidingWindow"), ("token_bucket", "TokenBucket"), ("fixed_window", "FixedWindow")],
    );
    if let (Some(at), None | Some("SlidingWindow" | "FixedWindow")) = (settings.written("burst"), strategy) {
        settings
            .errors
            .at(at, "only a token bucket has a burst; write `strategy = \"token_bucket\"` beside it, or leave it out");
    }
    settings.take("wait", Value::Duration, Found::positive_duration);
    further(settings, args);
    settings.take("queue", Value::Integer, |it| whole(it, 0, "a queue has room for some calls, or for none"));
    settings.take("capacity", Value::Integer, |it| at_least_one(it, "a limit knows at least one key"));
    let is_shared = settings.scope();
    settings.choice(
        "when_unavailable",
        "WhenUnavailable",
        &[("allow", "Allow"), ("refuse", "Refuse"), ("local", "Local")],
    );
    let what = What::RateLimited(Box::new(RateLimited {
        key,
        weight: settings.read("weight", |it| it.expr().cloned()),
        waits: settings.written("wait"),
        is_shared,
        outside_cache: settings.read("outside_cache", Found::boolean).unwrap_or_default(),
    }));
    (start, what)
}

/// What stands for a caller, and the settings that go with it.
fn key(settings: &mut Settings<'_>) -> (Setting, Option<Expr>) {
    let written: Vec<_> = ["key", "by_user", "by_ip"].into_iter().filter(|it| settings.written(it).is_some()).collect();
    if let [_, second, ..] = *written
        && let Some(at) = settings.written(second)
    {
        settings
            .errors
            .at(at, "a call counts for one key; leave this out, or put both into one: `key = (user, address)`");
    }
    let key = written.first().and_then(|it| settings.read(it, |it| it.expr().cloned()));
    let preset = PRESETS.into_iter().find(|it| written.contains(it));
    (preset.map_or(NEW, |name| Setting { name, value: Value::Nothing }), key)
}

/// Further limits: a call must keep them all.
fn further(settings: &mut Settings<'_>, args: &Args) {
    for (index, it) in args.more().enumerate() {
        if index == MOST {
            settings.errors.at(it.span(), format!("there is room for {MOST} further limits; leave this one out"));
        }
        let Some(list) = settings.errors.take(it.list()) else { continue };
        let options = parse::limit(list, settings.errors);
        if options.lacks("limit") {
            settings.errors.at(it.span(), "a further limit needs a number; write `and(500, per = \"1h\")`");
        }
        let limit = options.take("limit", settings.errors, |it| at_least_one(it, LIMIT));
        let per = options.take("per", settings.errors, Found::positive_duration);
        if let Some(limit) = limit {
            let per = per.unwrap_or(Duration::from_secs(60));
            settings.said.push(Setting { name: "and", value: Value::Quota(limit, per) });
        }
    }
}
