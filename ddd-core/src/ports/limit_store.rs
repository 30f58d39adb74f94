use std::{sync::Arc, time::Duration};

use super::store::StoreFuture;
use crate::domain::{LimitKey, LimitState, RateLimitedSettings};

/// Where the rate limits with `scope = "shared"` are kept, so that all processes hold them together.
///
/// The contract:
///
/// - A request takes its cost of all its limits, or of none, in one step that no other process can come between. The
///   requests of one call are independent of each other, and answered in their order.
/// - Each policy and key has a usage of its own, and so has each policy without a key. It is counted as
///   [`Strategy`](crate::domain::Strategy) says; [`LimitPlan`](crate::domain::LimitPlan) is the arithmetic to agree with.
/// - Time is the store's own, so that processes with wrong clocks cannot take more. If it goes back, nothing extra passes.
/// - The settings of the request count, whatever those of an earlier one were: limits change while the program runs.
/// - What is unused again takes no room, at the latest one period after its last use.
/// - A store that is away answers with an error, and does not panic. It may be asked again at any time.
///
/// `limit_store_conformance!` in `ddd_core::testing` is this contract as tests.
pub trait LimitStore: Send + Sync + 'static {
    /// A word for logs and figures, such as `memory`.
    fn kind(&self) -> &'static str;

    /// Takes of limits.
    fn take(&self, requests: Vec<LimitRequest>) -> StoreFuture<Vec<LimitAnswer>>;

    /// Says how limits stand for these calls, whatever they cost. Nothing is taken.
    fn look(&self, requests: Vec<LimitRequest>) -> StoreFuture<Vec<LimitState>>;

    /// Gives back what calls took and what is not over yet: of each limit the latest first, and at most all of it.
    fn give_back(&self, requests: Vec<LimitRequest>) -> StoreFuture<()>;

    /// Forgets what these keys used of the limits of this policy; `None` is the one for all calls.
    fn forget(&self, policy: &'static str, keys: Vec<Option<LimitKey>>) -> StoreFuture<()>;

    /// Forgets what was used of the limits of this policy, by all keys.
    fn clear(&self, policy: &'static str) -> StoreFuture<()>;
}

/// A call that wants to pass a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitRequest {
    /// The name of the policy: the same in all processes.
    pub policy: &'static str,
    /// Whose limit it is; `None` if it is one for all.
    ///
    /// Processes agree on it if they run the same build: it comes from the `Hash` of the key's type.
    pub key: Option<LimitKey>,
    /// How much it takes, at least 1.
    pub cost: u32,
    /// The limits and the strategy.
    pub settings: Arc<RateLimitedSettings>,
}

impl LimitRequest {
    /// A call that takes `cost`.
    #[must_use]
    pub const fn new(
        policy: &'static str,
        key: Option<LimitKey>,
        cost: u32,
        settings: Arc<RateLimitedSettings>,
    ) -> Self {
        Self { policy, key, cost, settings }
    }
}

/// What a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitAnswer {
    /// It passes; its cost was taken.
    Taken,
    /// It does not pass, and nothing was taken.
    Exceeded {
        /// In how long there is room, if nothing else is taken until then; `None` if there never is, because it costs more than
        /// a whole limit.
        retry_after: Option<Duration>,
    },
}
