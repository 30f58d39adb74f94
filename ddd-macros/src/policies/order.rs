//! Orders of nesting that do harm.

use super::{
    kind::Kind,
    policy::{Policy, What},
};
use crate::errors::Errors;

/// Outermost first, as they are written.
pub(super) fn check(policies: &[Policy], errors: &mut Errors) {
    for (index, policy) in policies.iter().enumerate() {
        match &policy.what {
            What::RateLimited(it) if !it.outside_cache && is_among(Kind::Cached, &policies[index..]) => {
                errors.at(
                    policy.span,
                    "this limit stands outside of the cache, so that even what the cache answers uses it up; write it below `#[cached]`, or `outside_cache = true` if that is what you want",
                );
            }
            What::Cached(it) if !it.inside_retry && is_among(Kind::Retry, &policies[..index]) => {
                errors.at(
                    policy.span,
                    "this cache stands inside of the retry, so that each attempt asks it first; write it above `#[retry]`, or `inside_retry = true` if that is what you want",
                );
            }
            _ => {}
        }
    }
}

fn is_among(kind: Kind, policies: &[Policy]) -> bool {
    policies.iter().any(|it| it.kind == kind)
}
