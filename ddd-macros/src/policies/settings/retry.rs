//! `#[retry(…)]`.

use std::time::Duration;

use super::reader::{NEW, Settings, at_least_one, policy_name};
use crate::{
    options::Found,
    policies::policy::{Setting, Value, What},
};

/// Flags that stand for several settings at once.
const PRESETS: [&str; 3] = ["network", "database", "external_api"];

/// The delays if nothing is said.
const DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

pub(super) fn check(settings: &mut Settings<'_>) -> (Setting, What) {
    let preset = preset(settings);
    settings.take("max_attempts", Value::Integer, |it| at_least_one(it, "`max_attempts` counts the first run"));
    let delay = settings.take("delay", Value::Duration, Found::duration);
    settings.take("backoff", Value::Number, Found::growth);
    let max_delay = settings.take("max_delay", Value::Duration, Found::duration);
    if preset.is_none() && delay.unwrap_or(DELAY) > max_delay.unwrap_or(MAX_DELAY) {
        let at = settings.written("max_delay").or_else(|| settings.written("delay"));
        let message = "`max_delay` is shorter than `delay`; write both, the longer one as `max_delay` (it is 30 seconds, and `delay` 1 second, if left out)";
        at.into_iter().for_each(|at| settings.errors.at(at, message));
    }
    settings.take("jitter", Value::Flag, Found::boolean);
    settings.take("max_elapsed", Value::Duration, Found::positive_duration);
    if let Some(budget) = settings.read("budget", policy_name) {
        settings.said.push(Setting { name: "budget", value: Value::Text(budget) });
    }
    let when = settings.read("when", |it| it.expr().cloned());
    (preset.map_or(NEW, |name| Setting { name, value: Value::Nothing }), What::Judging { when })
}

fn preset(settings: &mut Settings<'_>) -> Option<&'static str> {
    let mut written = PRESETS.into_iter().filter(|it| settings.written(it).is_some()).collect::<Vec<_>>().into_iter();
    let first = written.next()?;
    settings.read(first, Found::flag);
    for other in written {
        if let Some(at) = settings.written(other) {
            settings
                .errors
                .at(at, format!("`{first}` is written already; leave one out, and set what differs by hand"));
        }
    }
    Some(first)
}
