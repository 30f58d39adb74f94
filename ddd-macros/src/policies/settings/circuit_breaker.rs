//! `#[circuit_breaker(…)]`.

use syn::Result;

use super::reader::{Settings, at_least_one, share};
use crate::{
    options::Found,
    policies::policy::{Setting, Value, What},
};

pub(super) fn check(settings: &mut Settings<'_>) -> What {
    settings.take("failure_rate", Value::Number, |it| share(it, "failure_rate"));
    let window = window(settings);
    let min_calls = settings.take("min_calls", Value::Integer, |it| at_least_one(it, "`min_calls` is at least one"));
    if let (Some(window), Some(min_calls), Some(at)) = (window, min_calls, settings.options.get("min_calls"))
        && min_calls > window
    {
        let message = format!(
            "the window holds {window} calls, so there are never so many; write at most `min_calls = {window}`"
        );
        settings.errors.add(at.wrong(message));
    }
    settings.take("slow_call", Value::Duration, Found::positive_duration);
    settings.take("slow_rate", Value::Number, |it| share(it, "slow_rate"));
    if let (Some(at), None) = (settings.written("slow_rate"), settings.written("slow_call")) {
        settings.errors.at(at, "nothing says from when on a call is slow; write `slow_call = \"2s\"` beside it");
    }
    settings.take("open_for", Value::Duration, Found::positive_duration);
    settings.take("probes", Value::Integer, |it| at_least_one(it, "at least one probe must be able to run"));
    What::Judging { when: settings.read("when", |it| it.expr().cloned()) }
}

/// A number of calls, or a time; answers with the number.
fn window(settings: &mut Settings<'_>) -> Option<u64> {
    let is_text = settings.options.get("window").is_some_and(|it| it.text().is_ok());
    if is_text {
        let time = settings.read("window", Found::positive_duration)?;
        settings.said.push(Setting { name: "window_time", value: Value::Duration(time) });
        return None;
    }
    if settings.written("window").is_none() {
        return Some(100);
    }
    let calls = settings.read("window", calls)?;
    settings.said.push(Setting { name: "window_calls", value: Value::Integer(calls) });
    Some(calls)
}

fn calls(it: Found<'_>) -> Result<u64> {
    at_least_one(it, "a window holds at least one call, or a time such as `window = \"60s\"`")
}
