//! `#[cached(…)]`.

use std::time::Duration;

use syn::{Expr, Result};

use super::{
    handle,
    reader::{Settings, at_least_one},
};
use crate::{
    options::Found,
    policies::policy::{Cached, Setting, Value, What},
};

/// How long an entry is fresh if nothing is said.
const TTL: Duration = Duration::from_secs(3_600);

pub(super) fn check(settings: &mut Settings<'_>) -> What {
    let ttl = ttl(settings);
    settings.take("tti", Value::Duration, Found::positive_duration);
    settings.take("negative_ttl", Value::Duration, Found::positive_duration);
    settings.take("capacity", Value::Integer, |it| at_least_one(it, "a cache has room for at least one entry"));
    let ahead = settings.take("refresh_ahead", Value::Duration, Found::positive_duration);
    if let (Some(ahead), Some(at)) = (ahead, settings.options.get("refresh_ahead")) {
        match ttl {
            Some(ttl) if ahead < ttl => {}
            Some(ttl) => {
                let message = format!(
                    "entries are fresh for {} seconds, so this would refresh at every hit; write a shorter time than that, or a longer `ttl`",
                    ttl.as_secs_f64()
                );
                settings.errors.add(at.wrong(message));
            }
            None => {
                settings.errors.add(at.wrong("what never expires needs no refresh; leave it out, or write a `ttl`"));
            }
        }
    }
    settings.take("stale_on_error", Value::Duration, Found::positive_duration);
    let is_shared = settings.scope();
    if let (Some(_), Some(at)) = (is_shared, settings.written("tti")) {
        let message =
            "no process knows what the others ask for, so a shared cache has no `tti`; leave it out, and write a `ttl`";
        settings.errors.at(at, message);
    }
    let boolean = |settings: &mut Settings<'_>, name| settings.read(name, Found::boolean);
    let expr = |settings: &mut Settings<'_>, name| settings.read(name, |it| it.expr().cloned());
    What::Cached(Box::new(Cached {
        key: expr(settings, "key"),
        tags: settings.read("tags", tags).unwrap_or_default(),
        store_if: expr(settings, "store_if"),
        weigh: expr(settings, "weigh"),
        detached: boolean(settings, "detached"),
        handle: settings.read("handle", handle::read),
        is_shared,
        inside_retry: boolean(settings, "inside_retry").unwrap_or_default(),
    }))
}

/// How long entries are fresh; `None` is for ever.
fn ttl(settings: &mut Settings<'_>) -> Option<Duration> {
    let is_forever = |it: &Found<'_>| it.text().is_ok_and(|it| it.value() == "forever");
    if settings.options.get("ttl").as_ref().is_some_and(is_forever) {
        settings.said.push(Setting { name: "forever", value: Value::Nothing });
        return None;
    }
    let read = settings.take("ttl", Value::Duration, Found::positive_duration);
    Some(read.unwrap_or(TTL))
}

fn tags(it: Found<'_>) -> Result<Vec<Expr>> {
    match it.expr()? {
        Expr::Array(array) => Ok(array.elems.iter().cloned().collect()),
        _ => Err(it.wrong("tags stand in brackets; write for example `tags = [format!(\"user:{id}\")]`")),
    }
}
