//! One attribute that keeps all rules.

use std::time::Duration;

use proc_macro2::Span;
use syn::{Expr, Ident, Path, Type};

use super::kind::Kind;

/// A policy of a function.
pub(super) struct Policy {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// The name that stands in its own attribute.
    pub(super) name: Option<String>,
    /// Where its settings start: the constructor, and what it needs.
    pub(super) start: Setting,
    /// What differs from that.
    pub(super) settings: Vec<Setting>,
    pub(super) what: What,
    /// Another path to the runtime, if one is written.
    pub(super) krate: Option<Path>,
}

/// What it needs beside its settings.
pub(super) enum What {
    Cached(Box<Cached>),
    RateLimited(Box<RateLimited>),
    /// Retries and circuit breakers: the error, or the value, that counts as a failure.
    Judging {
        when: Option<Expr>,
    },
    Plain,
}

#[derive(Default)]
pub(super) struct Cached {
    pub(super) key: Option<Expr>,
    pub(super) tags: Vec<Expr>,
    pub(super) store_if: Option<Expr>,
    pub(super) weigh: Option<Expr>,
    pub(super) detached: Option<bool>,
    pub(super) handle: Option<Handle>,
    /// Where `scope = "shared"` stands: then a fill asks a store first.
    pub(super) is_shared: Option<Span>,
    pub(super) inside_retry: bool,
}

#[derive(Default)]
pub(super) struct RateLimited {
    pub(super) key: Option<Expr>,
    pub(super) weight: Option<Expr>,
    /// Where `wait` stands: then a call may wait for its turn.
    pub(super) waits: Option<Span>,
    /// Where `scope = "shared"` stands: then a call asks a store.
    pub(super) is_shared: Option<Span>,
    pub(super) outside_cache: bool,
}

/// A constant through which the user reaches the values of a cache.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) name: Ident,
    /// Whether it is written `Self::NAME`.
    pub(super) of_self: bool,
    /// The type of the keys.
    pub(super) key: Type,
}

/// A call of a function of the settings.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// What that call is given.
pub(super) enum Value {
    Duration(Duration),
    Integer(u64),
    Number(f64),
    Flag(bool),
    Text(String),
    /// A variant of one of the runtime's enums.
    Variant(&'static str, &'static str),
    /// So many in so long.
    Quota(u64, Duration),
    Nothing,
}
