//! Callers by a shared secret.

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{
    caller::Caller,
    error::AccessError,
    permission::{Permission, Permissions},
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A key that a caller sends as `Authorization: Bearer …` or `X-API-Key: …`, and what its holder may do.
///
/// Only a hash of the key is kept, and nothing prints it.
///
/// ```
/// use ddd_web::{Access, ApiKey, Permission};
///
/// let access = Access::api_keys([
///     ApiKey::new("shop", "a-long-random-secret").allow(Permission::Read).allow(Permission::Submit),
///     ApiKey::new("operator", "another-long-secret").allow(Permission::Admin),
/// ])?;
/// # Ok::<(), ddd_web::AccessError>(())
/// ```
#[derive(Clone)]
pub struct ApiKey {
    owner: String,
    digest: [u8; 32],
    problem: Option<&'static str>,
    permissions: Permissions,
}

impl ApiKey {
    /// The fewest characters of a key.
    pub const SHORTEST: usize = 16;

    /// The key of the caller named `owner`, which may do nothing yet.
    ///
    /// The owner is recorded with the tasks that are submitted with this key; several keys may have the same, such as an old
    /// one and its successor. A key has 16 visible ASCII characters or more: what is wrong with it is told by
    /// [`Access::api_keys`](crate::Access::api_keys).
    #[must_use]
    pub fn new(owner: impl Into<String>, key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        let problem = if key.len() < Self::SHORTEST {
            Some("has fewer than 16 characters; write a long random one")
        } else if key.iter().all(u8::is_ascii_graphic) {
            None
        } else {
            Some("cannot be sent in a header; write visible ASCII characters, without spaces")
        };
        Self { owner: owner.into(), digest: Sha256::digest(key).into(), problem, permissions: Permissions::default() }
    }

    /// And its holder may do this.
    #[must_use]
    pub fn allow(mut self, permission: Permission) -> Self {
        self.permissions = self.permissions.and(Permissions::of([permission]));
        self
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, permissions, .. } = self;
        f.debug_struct("ApiKey").field("owner", owner).field("key", &"***").field("permissions", permissions).finish()
    }
}

/// The keys that are taken.
#[derive(Debug)]
pub(super) struct ApiKeys(Vec<(Digested, Caller)>);

/// A hash, in words that are compared as one.
struct Digested([u64; 4]);

impl Digested {
    fn of(digest: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Self(words)
    }

    /// Whether both are the same, which takes as long if they are not.
    fn is(&self, other: &Self) -> Choice {
        self.0.iter().zip(&other.0).fold(Choice::from(1), |all, (one, other)| all & one.ct_eq(other))
    }
}

impl fmt::Debug for Digested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl ApiKeys {
    pub(super) fn new(keys: Vec<ApiKey>) -> Result<Self, AccessError> {
        let mut problems = Vec::new();
        if keys.is_empty() {
            problems.push("there is no key, so nobody could do anything; give at least one".to_owned());
        }
        for (index, key) in keys.iter().enumerate() {
            let owner = &key.owner;
            if owner.is_empty() || owner.len() > 100 || owner.chars().any(char::is_control) {
                problems.push(format!("the owner of key {} is no name; write 1 to 100 characters", index + 1));
            }
            if let Some(problem) = key.problem {
                problems.push(format!("the key of `{}` {problem}", owner.escape_debug()));
            }
            if let Some(other) = keys[..index].iter().find(|it| it.digest == key.digest) {
                let (other, owner) = (other.owner.escape_debug(), owner.escape_debug());
                problems.push(format!("`{other}` and `{owner}` have the same key; nobody could tell them apart"));
            }
        }
        if !problems.is_empty() {
            return Err(AccessError(problems));
        }
        let callers = keys.into_iter().map(|it| {
            let caller = Caller::named(Arc::from(it.owner), it.permissions);
            (Digested::of(&it.digest), caller)
        });
        Ok(Self(callers.collect()))
    }

    /// The holder of the key that a request carries; `None` if it carries none or a wrong one. Which one it nearly was
    /// shows in no time: hashes are compared, all of them, each in full.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Option<&Caller> {
        let digest = Digested::of(&Sha256::digest(presented(headers)?).into());
        let mut found = u32::MAX;
        for (index, (key, _)) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&index, key.is(&digest));
        }
        self.0.get(found as usize).map(|it| &it.1)
    }
}

/// The key of a request. A request with two different ones is taken for one without.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let mut keys = headers.get_all(X_API_KEY).iter().map(|it| it.as_bytes());
    let mut bearers = headers.get_all(AUTHORIZATION).iter().filter_map(|it| bearer(it.as_bytes()));
    let first = keys.next().or_else(|| bearers.next())?;
    (keys.all(|it| it == first) && bearers.all(|it| it == first)).then_some(first)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| rest.trim_ascii())
}
