//! The header by which a submission that is sent again is recognised.

use axum::http::{HeaderMap, HeaderName};
use ddd_core::{IdempotencyKey, domain::Fingerprint};
use sha2::{Digest as _, Sha256};

use crate::{
    access::Caller,
    problem::{Fault, Problem, codes},
};

/// The header of the answer to a submission that was answered before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const NAME: &str = "idempotency-key";
/// What the hash of an owner's name begins with where it stands for the name.
const HASHED: char = '#';

/// The key of a submission, if it has one. Equal keys of different callers, and of different routes, have nothing to do with
/// each other; `body` is what the key stands for.
///
/// # Errors
/// The header is there twice, or is not a key.
pub(crate) fn key(
    headers: &HeaderMap,
    caller: &Caller,
    (route, task): (&str, &str),
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let mut all = headers.get_all(NAME).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|it| it.bytes().all(|byte| byte.is_ascii_graphic()));
    let is_one = all.next().is_none();
    match text.filter(|it| (1..=IdempotencyKey::MAX_KEY).contains(&it.len()) && is_one) {
        Some(text) => {
            let scope = scope(route, caller.owner().unwrap_or_default());
            // Another task is another content, not another scope: the key must not be taken for a new one.
            let fingerprint = Fingerprint::of([task.as_bytes(), body]);
            Ok(Some(IdempotencyKey::new(text).scope(scope).fingerprint(fingerprint)))
        }
        None => Err(Problem::of(&codes::INVALID_HEADER)
            .fault(Fault::in_header(NAME, "is not 1 to 255 visible ASCII characters without spaces, once"))),
    }
}

/// Whose key it is, and of what. An owner's name of any length and content makes a scope that is short and plain, and nobody can
/// choose a name that makes another's.
fn scope(route: &str, owner: &str) -> String {
    let is_plain = owner.len() <= IdempotencyKey::MAX_SCOPE / 2 && !owner.contains(char::is_control);
    if is_plain && !owner.starts_with(HASHED) {
        return format!("{route} {owner}");
    }
    let digest: String = Sha256::digest(owner).iter().map(|it| format!("{it:02x}")).collect();
    format!("{route} {HASHED}{digest}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panics")]
mod tests {
    use super::*;

    #[test]
    fn every_owner_makes_a_scope_that_the_core_takes() {
        let long = "o".repeat(2_000);
        for owner in ["ann", "", "a\u{1}b", &long] {
            assert_eq!(IdempotencyKey::new("k").scope(scope("submit", owner)).check(), Ok(()));
        }
        assert_ne!(scope("submit", &long), scope("submit", &long[1..]));
        let hashed = scope("submit", &long);
        let (_, owner) = hashed.split_once(' ').unwrap();
        assert_ne!(scope("submit", owner), hashed, "a name that looks like the hash of another");
    }
}
