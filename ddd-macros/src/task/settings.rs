//! The settings that `#[task(…)]` may state, checked.

use std::time::Duration;

use syn::{Expr, Result};

use crate::{
    errors::Errors,
    name,
    options::{Found, Known, Options},
};

/// Settings as the registration states them; `None` falls to the application's defaults.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) queue: Option<String>,
    pub(super) priority: Option<i8>,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Retry>,
    pub(super) unique: Option<Unique>,
    pub(super) concurrency: Option<Concurrency>,
    pub(super) result_ttl: Option<Duration>,
    pub(super) schedule: Option<Schedule>,
    pub(super) version: Option<u32>,
    pub(super) category: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) internal: bool,
}

pub(super) struct Retry {
    pub(super) max_attempts: u32,
    pub(super) delay: Option<Duration>,
    pub(super) backoff: Option<f64>,
    pub(super) max_delay: Option<Duration>,
    pub(super) jitter: Option<bool>,
}

pub(super) struct Unique {
    /// The key; all parameters if none.
    pub(super) by: Option<Expr>,
    /// How long after its submission; until it is finished if none.
    pub(super) lasts: Option<Duration>,
}

pub(super) struct Concurrency {
    pub(super) limit: u32,
    pub(super) key: Expr,
}

pub(super) enum Schedule {
    Cron { expression: String, time_zone: String },
    Every(Duration),
}

const RETRY: &[Known] = &[
    ("max_attempts", "max_attempts = 5"),
    ("delay", "delay = \"1s\""),
    ("backoff", "backoff = 2.0"),
    ("max_delay", "max_delay = \"1h\""),
    ("jitter", "jitter = true"),
];
const UNIQUE: &[Known] = &[("by", "by = parameters"), ("until", "until = finished"), ("for", "for = \"1h\"")];
const CONCURRENCY: &[Known] = &[("limit", "limit = 2"), ("key", "key = tenant")];
const SCHEDULE: &[Known] =
    &[("cron", "cron = \"0 3 * * *\""), ("every", "every = \"5m\""), ("tz", "tz = \"Europe/Berlin\"")];

/// What to write when the mandatory part of an option is missing.
const NO_ATTEMPTS: &str = "`retry` needs the number of attempts, the first counted; write `retry(max_attempts = 5)`";
const NO_LIMIT: &str =
    "`concurrency` needs both; write `concurrency(limit = 2, key = tenant)`, where `tenant` is a parameter";
const NO_RULE: &str = "a schedule needs a rule; write `cron = \"0 3 * * *\"` or `every = \"5m\"`";

/// The shortest period of a schedule; the runtime refuses shorter ones too.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

/// Reads the settings; what is wrong with them is reported.
pub(super) fn check(options: &Options, errors: &mut Errors) -> Settings {
    Settings {
        queue: options.take("queue", errors, queue),
        priority: options.take("priority", errors, priority),
        timeout: options.take("timeout", errors, Found::positive_duration),
        retry: options.get("retry").and_then(|it| retry(it, errors)),
        unique: options.get("unique").and_then(|it| unique(it, errors)),
        concurrency: options.get("concurrency").and_then(|it| concurrency(it, errors)),
        result_ttl: options.take("result_ttl", errors, Found::positive_duration),
        schedule: options.get("schedule").and_then(|it| schedule(it, errors)),
        version: options.take("version", errors, |it| it.whole(1, "versions count from 1")),
        category: options.take("category", errors, Found::word),
        tags: options.take("tags", errors, Found::words).unwrap_or_default(),
        internal: options.take("internal", errors, Found::flag).is_some(),
    }
}

fn queue(it: Found<'_>) -> Result<String> {
    let queue = it.text()?.value();
    match name::check(&queue) {
        Ok(()) => Ok(queue),
        Err(reason) => Err(it.wrong(format!("a queue has a name: {reason}"))),
    }
}

fn priority(it: Found<'_>) -> Result<i8> {
    let level = it.integer()?;
    match i8::try_from(level) {
        Ok(level @ -10..=10) => Ok(level),
        _ => {
            Err(it.wrong(format!("a priority is -10 to 10, larger first; write `priority = {}`", level.clamp(-10, 10))))
        }
    }
}

fn retry(it: Found<'_>, errors: &mut Errors) -> Option<Retry> {
    let list = errors.take(it.list())?;
    let options = Options::read(list, "`retry`", RETRY, errors);
    if options.get("max_attempts").is_none() {
        errors.at(it.span(), NO_ATTEMPTS);
    }
    let attempts = |it: Found<'_>| it.whole(1, "`max_attempts` counts the first run");
    let max_attempts = options.take("max_attempts", errors, attempts);
    let delay = options.take("delay", errors, Found::duration);
    let max_delay = options.take("max_delay", errors, Found::duration);
    if let (Some(delay), Some(max_delay), Some(at)) = (delay, max_delay, options.get("max_delay"))
        && max_delay < delay
    {
        errors.add(at.wrong("`max_delay` is shorter than `delay`; leave it out, or write a longer one"));
    }
    let (backoff, jitter) =
        (options.take("backoff", errors, Found::growth), options.take("jitter", errors, Found::boolean));
    Some(Retry { max_attempts: max_attempts?, delay, backoff, max_delay, jitter })
}

fn unique(it: Found<'_>, errors: &mut Errors) -> Option<Unique> {
    let list = errors.take(it.optional_list())?;
    let options = Options::read(list, "`unique`", UNIQUE, errors);
    let by = options.take("by", errors, Found::expr).filter(|it| !is_word(it, "parameters")).cloned();
    if let (Some(_), Some(until)) = (options.get("for"), options.get("until")) {
        errors.at(until.span(), "`until` and `for` contradict each other; write `until = finished` or `for = \"1h\"`");
    }
    options.take("until", errors, |it| match it.expr()? {
        word if is_word(word, "finished") => Ok(()),
        _ => Err(it.wrong("a task is unique `until = finished`, or for a time: `for = \"1h\"`")),
    });
    let lasts = options.take("for", errors, Found::positive_duration);
    Some(Unique { by, lasts })
}

fn is_word(expr: &Expr, word: &str) -> bool {
    matches!(expr, Expr::Path(it) if it.path.is_ident(word))
}

fn concurrency(it: Found<'_>, errors: &mut Errors) -> Option<Concurrency> {
    let list = errors.take(it.list())?;
    let options = Options::read(list, "`concurrency`", CONCURRENCY, errors);
    if options.get("limit").is_none() || options.get("key").is_none() {
        errors.at(it.span(), NO_LIMIT);
    }
    let limit = options.take("limit", errors, |it| it.whole(1, "at least one task must be able to run"));
    let key = options.take("key", errors, Found::expr).cloned();
    Some(Concurrency { limit: limit?, key: key? })
}

fn schedule(it: Found<'_>, errors: &mut Errors) -> Option<Schedule> {
    let list = errors.take(it.list())?;
    let options = Options::read(list, "`schedule`", SCHEDULE, errors);
    let expression = options.take("cron", errors, cron);
    let every = options.take("every", errors, |it| match it.duration()? {
        period if period < SHORTEST_PERIOD => Err(it.wrong("a period has at least one second; write `every = \"1s\"`")),
        period => Ok(period),
    });
    let time_zone = options.take("tz", errors, Found::word);
    match (options.get("cron"), options.get("every"), options.get("tz")) {
        (None, None, _) => errors.at(it.span(), NO_RULE),
        (Some(_), Some(every), _) => {
            errors.at(every.span(), "`cron` and `every` contradict each other; leave one out");
        }
        (None, Some(_), Some(tz)) => {
            errors.at(tz.span(), "a period is the same in every time zone; leave `tz` out, or write `cron = \"…\"`");
        }
        _ => {}
    }
    match expression {
        Some(expression) => {
            Some(Schedule::Cron { expression, time_zone: time_zone.unwrap_or_else(|| "UTC".to_owned()) })
        }
        None => every.map(Schedule::Every),
    }
}

/// The number of fields; the application reads them when it is built, and reports what it cannot read.
fn cron(it: Found<'_>) -> Result<String> {
    let expression = it.text()?.value();
    let fields = expression.split_whitespace().count();
    if fields == 5 {
        return Ok(expression);
    }
    Err(it.wrong(format!(
        "a cron expression has five fields, this has {fields}: minute, hour, day of month, month, day of week; write for example `cron = \"0 3 * * *\"` for every day at 3:00"
    )))
}
