//! Limits that all processes have in common: the store decides.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::{
    super::ambient::shared,
    limiter::{Limiter, UNANSWERED},
    no_room::NoRoom,
};
use crate::{
    application::store_call,
    domain::{LimitKey, WhenUnavailable},
    ports::{LimitAnswer, LimitRequest, LimitStore, StoreError, StoreErrorKind},
};

/// A store that takes longer counts as one that does not answer: a limit must not be what a call waits for longest.
const TIMEOUT: Duration = Duration::from_millis(500);

type Slot = Mutex<Option<Arc<dyn LimitStore>>>;

/// What becomes of a call.
pub(super) enum Decision {
    Passes,
    Refused(NoRoom),
    /// The store does not answer, and then calls are refused.
    Unavailable,
    /// The store does not answer, and then each process holds the limit by itself.
    Local,
}

/// A call of a function whose limit is shared.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedCall {
    /// The name of the policy.
    pub(super) policy: &'static str,
    pub(super) key: Option<LimitKey>,
    pub(super) cost: u32,
}

/// The store of this process's shared limits, or of the isolated test around the caller.
fn slot() -> Arc<Slot> {
    shared("limit_store", Slot::default)
}

/// From now on, shared limits are kept there.
pub(crate) fn set_limit_store(store: Arc<dyn LimitStore>) {
    *slot().lock() = Some(store);
}

/// Lets the store forget what was used of this limit. Nobody waits for its answer.
pub(super) fn clear(policy: &'static str) {
    let (Some(store), Ok(runtime)) = (slot().lock().clone(), Handle::try_current()) else { return };
    runtime.spawn(async move {
        if let Err(error) = store_call::call(store.clear(policy), TIMEOUT).await {
            tracing::warn!(policy, %error, "a shared limit could not be cleared");
        }
    });
}

impl SharedCall {
    /// Asks the store; and again when there should be room, at most until `deadline`, behind the calls of this process that came
    /// before.
    ///
    /// A call that is dropped while the store is asked may have taken its cost: better that than two calls for one.
    pub(super) async fn take(self, limiter: &Limiter, deadline: Instant) -> Decision {
        if !limiter.queue.is_waited_for(self.key) {
            match self.decide(limiter).await {
                Decision::Refused(it) if it.before(deadline).is_some() => {}
                decision => return decision,
            }
        }
        let most = limiter.effective().queue;
        let Some(place) = limiter.queue.join(self.key, most) else { return Decision::Refused(NoRoom(None)) };
        let Some(_turn) = place.turn(deadline).await else { return Decision::Refused(NoRoom(None)) };
        loop {
            let decision = self.decide(limiter).await;
            let Decision::Refused(no_room) = decision else { return decision };
            let Some(room_at) = no_room.before(deadline) else { return decision };
            sleep_until(room_at).await;
        }
    }

    async fn decide(self, limiter: &Limiter) -> Decision {
        // A change holds for those who wait, too.
        let settings = limiter.effective();
        let then = settings.when_unavailable;
        match ask(LimitRequest::new(self.policy, self.key, self.cost, settings)).await {
            Ok(answer) => {
                if limiter.is_store_away.swap(false, Ordering::Relaxed) {
                    tracing::info!(policy = self.policy, "the store of a shared limit answers again");
                }
                match answer {
                    LimitAnswer::Taken => Decision::Passes,
                    LimitAnswer::Exceeded { retry_after } => Decision::Refused(NoRoom(retry_after)),
                }
            }
            Err(error) => {
                limiter.calls.count(UNANSWERED);
                // Once, not for each call.
                if !limiter.is_store_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(policy = self.policy, %error, "the store of a shared limit does not answer");
                }
                match then {
                    WhenUnavailable::Allow => Decision::Passes,
                    WhenUnavailable::Refuse => Decision::Unavailable,
                    WhenUnavailable::Local => Decision::Local,
                }
            }
        }
    }
}

async fn ask(request: LimitRequest) -> Result<LimitAnswer, StoreError> {
    let store = slot().lock().clone();
    let missing = || StoreError::new(StoreErrorKind::Misconfigured, "the application was built without a limit store");
    let answers = store_call::call(store.ok_or_else(missing)?.take(vec![request]), TIMEOUT).await?;
    let unanswered = || StoreError::new(StoreErrorKind::Corrupt, "the store left a request unanswered");
    answers.into_iter().next().ok_or_else(unanswered)
}
