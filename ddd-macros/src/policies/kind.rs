//! The six attributes: their names, and their options.

use quote::ToTokens;
use syn::{Lit, Path};

use crate::options::Known;

/// Which attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cached,
    RateLimited,
    Retry,
    CircuitBreaker,
    Timeout,
    Bulkhead,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Cached, Self::RateLimited, Self::Retry, Self::CircuitBreaker, Self::Timeout, Self::Bulkhead];

    /// The attribute that `path` names: bare, or with `ddd_core::`.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let last = path.segments.last()?;
        let is_ours = match path.segments.len() {
            1 => path.leading_colon.is_none(),
            2 => path.segments.first().is_some_and(|it| it.ident == "ddd_core"),
            _ => false,
        };
        Self::ALL.into_iter().find(|it| is_ours && last.ident == it.name())
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::RateLimited => "rate_limited",
            Self::Retry => "retry",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Timeout => "timeout",
            Self::Bulkhead => "bulkhead",
        }
    }

    /// How it is written, for messages.
    pub(super) const fn whom(self) -> &'static str {
        match self {
            Self::Cached => "`#[cached]`",
            Self::RateLimited => "`#[rate_limited]`",
            Self::Retry => "`#[retry]`",
            Self::CircuitBreaker => "`#[circuit_breaker]`",
            Self::Timeout => "`#[timeout]`",
            Self::Bulkhead => "`#[bulkhead]`",
        }
    }

    /// What to write if the item is no function.
    pub(super) const fn usage(self) -> &'static str {
        match self {
            Self::Cached => "`#[cached]` goes on a function or a method; write `#[cached] async fn name(…)`",
            Self::RateLimited => {
                "`#[rate_limited]` goes on a function or a method; write `#[rate_limited] async fn name(…)`"
            }
            Self::Retry => "`#[retry]` goes on a function or a method; write `#[retry] async fn name(…)`",
            Self::CircuitBreaker => {
                "`#[circuit_breaker]` goes on a function or a method; write `#[circuit_breaker] async fn name(…)`"
            }
            Self::Timeout => "`#[timeout]` goes on a function or a method; write `#[timeout(\"2s\")] async fn name(…)`",
            Self::Bulkhead => "`#[bulkhead]` goes on a function or a method; write `#[bulkhead(10)] async fn name(…)`",
        }
    }

    /// The option whose name may be left out, if it stands first.
    pub(super) const fn first(self) -> Option<&'static str> {
        match self {
            Self::Cached => Some("ttl"),
            Self::RateLimited | Self::Bulkhead => Some("limit"),
            Self::Retry => Some("max_attempts"),
            Self::CircuitBreaker => None,
            Self::Timeout => Some("duration"),
        }
    }

    /// What a further value that stands without a name is probably meant to be, as it is to be written.
    pub(super) fn meant(self, value: &Lit) -> Option<String> {
        let text = value.to_token_stream().to_string();
        let name = match (self, value) {
            (Self::Cached, Lit::Int(_)) => "capacity",
            (Self::RateLimited, Lit::Int(_)) => return Some(format!("per = \"{text}s\"")),
            (Self::RateLimited, Lit::Str(_)) => "per",
            (Self::Retry, Lit::Int(_)) => return Some(format!("delay = \"{text}s\"")),
            (Self::Retry, Lit::Str(_)) => "delay",
            (Self::Retry, Lit::Float(_)) => "backoff",
            (Self::CircuitBreaker, Lit::Float(_)) => "failure_rate",
            (Self::CircuitBreaker, Lit::Int(_)) => "window",
            (Self::CircuitBreaker, Lit::Str(_)) => "open_for",
            (Self::Bulkhead, Lit::Int(_)) => "queue",
            (Self::Bulkhead, Lit::Str(_)) => "wait",
            _ => return None,
        };
        Some(format!("{name} = {text}"))
    }

    /// Its options, and how each is written.
    pub(super) const fn known(self) -> &'static [Known] {
        match self {
            Self::Cached => CACHED,
            Self::RateLimited => RATE_LIMITED,
            Self::Retry => RETRY,
            Self::CircuitBreaker => CIRCUIT_BREAKER,
            Self::Timeout => TIMEOUT,
            Self::Bulkhead => BULKHEAD,
        }
    }

    /// Whether it can refuse a call.
    pub(super) const fn can_refuse(self) -> bool {
        !matches!(self, Self::Cached | Self::Retry)
    }
}

const NAME: Known = ("name", "name = \"user_profile\"");
const CRATE: Known = ("crate", "crate = my_facade::ddd_core");

const CACHED: &[Known] = &[
    ("ttl", "ttl = \"1h\""),
    ("tti", "tti = \"10m\""),
    ("negative_ttl", "negative_ttl = \"30s\""),
    ("capacity", "capacity = 10_000"),
    ("key", "key = (tenant, id)"),
    NAME,
    ("handle", "handle = PROFILES: u64"),
    ("tags", "tags = [format!(\"tenant:{tenant}\")]"),
    ("refresh_ahead", "refresh_ahead = \"1m\""),
    ("stale_on_error", "stale_on_error = \"10m\""),
    ("store_if", "store_if = |value| value.is_ok()"),
    ("weigh", "weigh = |value| 1"),
    ("scope", "scope = \"shared\""),
    ("detached", "detached = false"),
    ("inside_retry", "inside_retry = true"),
    CRATE,
];
const RATE_LIMITED: &[Known] = &[
    ("limit", "limit = 30"),
    ("per", "per = \"1m\""),
    ("burst", "burst = 10"),
    ("strategy", "strategy = \"token_bucket\""),
    ("key", "key = tenant"),
    ("weight", "weight = 2"),
    ("wait", "wait = \"5s\""),
    ("queue", "queue = 1_000"),
    ("capacity", "capacity = 100_000"),
    ("and", "and(500, per = \"1h\")"),
    ("by_user", "by_user = user_id"),
    ("by_ip", "by_ip = address"),
    ("scope", "scope = \"shared\""),
    ("when_unavailable", "when_unavailable = \"allow\""),
    NAME,
    ("outside_cache", "outside_cache = true"),
    CRATE,
];
const RETRY: &[Known] = &[
    ("max_attempts", "max_attempts = 3"),
    ("delay", "delay = \"1s\""),
    ("backoff", "backoff = 2.0"),
    ("max_delay", "max_delay = \"30s\""),
    ("jitter", "jitter = true"),
    ("max_elapsed", "max_elapsed = \"2m\""),
    ("when", "when = |error| error.is_transient()"),
    ("budget", "budget = \"payments\""),
    ("network", "network"),
    ("database", "database"),
    ("external_api", "external_api"),
    NAME,
    CRATE,
];
const CIRCUIT_BREAKER: &[Known] = &[
    ("failure_rate", "failure_rate = 0.5"),
    ("window", "window = 100"),
    ("min_calls", "min_calls = 10"),
    ("slow_call", "slow_call = \"2s\""),
    ("slow_rate", "slow_rate = 0.5"),
    ("open_for", "open_for = \"60s\""),
    ("probes", "probes = 3"),
    ("when", "when = |error| error.is_transient()"),
    ("name", "name = \"payments\""),
    CRATE,
];
const TIMEOUT: &[Known] = &[("duration", "duration = \"2s\""), NAME, CRATE];
const BULKHEAD: &[Known] = &[("limit", "limit = 10"), ("queue", "queue = 100"), ("wait", "wait = \"1s\""), NAME, CRATE];
