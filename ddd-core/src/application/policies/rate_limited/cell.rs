use std::{fmt::Debug, hash::Hash, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        ambient::now,
        state_cell::{Held, StateCell},
    },
    admission::Admission,
    limiter::{ALLOWED, Limiter, REFUSED, local_key, shared_key, text_of},
    no_room::NoRoom,
    shared::{Decision, SharedCall},
};
use crate::{
    domain::{LimitKey, LimitState, RateLimitedSettings, Refused, RefusedKind, Scope, Site},
    ports::StoreError,
};

/// Longer than any call waits: one year. What is added to a moment must not reach beyond it.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3_600);

/// `#[rate_limited]` of one function.
#[derive(Debug)]
pub struct RateLimitedCell {
    pub(super) site: Site,
    pub(super) annotated: RateLimitedSettings,
    state: StateCell<Limiter>,
}

impl RateLimitedCell {
    /// The rate limit of the function at `site`.
    #[must_use]
    pub const fn new(site: Site, settings: RateLimitedSettings) -> Self {
        Self { site, annotated: settings, state: StateCell::new() }
    }

    /// Takes `cost` from the limit of `key`, or is refused. It never waits, and never asks a shared store: it is for functions
    /// that are not async.
    ///
    /// Keys of a type without data, such as `()`, are no keys: there is one limit for all calls then. A reference serves as
    /// well as the key itself. `Debug` is what the figures show of a key that comes near its limit.
    ///
    /// # Errors
    /// There is no room, and the refusal says when there is; or the cost is over the whole limit.
    #[inline]
    pub fn try_admit<K: Hash + Debug>(&'static self, key: K, cost: u32) -> Result<(), Refused> {
        // First: the clock takes longest, and what needs no time is computed beside it.
        let now = now();
        let limiter = self.limiter();
        self.told(&limiter, limiter.take_at(now, local_key(&key), &key, cost))
    }

    /// The same; if the settings say so, it waits for room, behind those that came before it, and asks the shared store.
    ///
    /// # Errors
    /// There is no room, nor will there be soon enough, or too many calls wait already; the cost is over the whole limit; or the
    /// shared store does not answer, and calls are refused then.
    ///
    /// # Panics
    /// It must wait, and there is no tokio runtime with its timer enabled.
    #[inline]
    pub fn admit<K: Hash + Debug>(&'static self, key: K, cost: u32) -> Admission {
        let now = now();
        let (limiter, here) = (self.limiter(), local_key(&key));
        if let Some(call) = self.shared_call(&key, cost) {
            return Admission::waits(self.admit_everywhere(limiter, call, here, text_of(&key)));
        }
        let wait = limiter.wait();
        if !wait.is_zero() {
            return self.admit_in_turn(limiter, here, &key, cost, wait);
        }
        Admission::known(self.told(&limiter, limiter.take_at(now, here, &key, cost)))
    }

    /// How the limit of `key` stands.
    ///
    /// # Errors
    /// It is shared, and its store does not answer.
    pub(super) async fn state_of<K: Hash>(&'static self, key: &K) -> Result<LimitState, StoreError> {
        let limiter = self.limiter();
        match self.shared_call(key, 1) {
            Some(call) => call.state(&limiter).await,
            None => Ok(limiter.state(local_key(key))),
        }
    }

    /// Gives back what was taken for `key`: to the store of a shared limit; to this process's own limit, which counts while that
    /// store is away, only if it does not answer.
    ///
    /// # Errors
    /// The limit is shared, and its store does not answer.
    pub(super) async fn give_back<K: Hash>(&'static self, key: &K, cost: u32) -> Result<(), StoreError> {
        let limiter = self.limiter();
        let Some(call) = self.shared_call(key, cost) else {
            limiter.give_back(local_key(key), cost);
            return Ok(());
        };
        call.give_back(&limiter).await.inspect_err(|_| limiter.give_back(local_key(key), cost))
    }

    /// Forgets what `key` used.
    ///
    /// # Errors
    /// The limit is shared, and its store does not answer.
    pub(super) async fn forget<K: Hash>(&'static self, key: &K) -> Result<(), StoreError> {
        self.limiter().forget(local_key(key));
        match self.shared_call(key, 1) {
            Some(call) => call.forget().await,
            None => Ok(()),
        }
    }

    /// The call for the store, if the limit is shared.
    fn shared_call<K: Hash>(&self, key: &K, cost: u32) -> Option<SharedCall> {
        let is_shared = self.annotated.scope == Scope::Shared && cost > 0;
        is_shared.then(|| SharedCall { policy: self.site.name, key: shared_key(key), cost })
    }

    fn admit_in_turn(
        &'static self,
        limiter: Held<Limiter>,
        key: Option<LimitKey>,
        text: &dyn Debug,
        cost: u32,
        wait: Duration,
    ) -> Admission {
        let wait = wait.min(LONGEST_WAIT);
        if !limiter.queue.is_waited_for(key) {
            match limiter.take(key, text, cost) {
                Err(NoRoom(Some(room_in))) if room_in <= wait => {}
                taken => return Admission::known(self.told(&limiter, taken)),
            }
        }
        Admission::waits(async move {
            let (deadline, most) = (Instant::now() + wait, limiter.effective().queue);
            let taken = limiter.queue.wait(key, most, deadline, || limiter.take(key, &"", cost)).await;
            self.told(&limiter, taken)
        })
    }

    async fn admit_everywhere(
        &'static self,
        limiter: Held<Limiter>,
        call: SharedCall,
        here: Option<LimitKey>,
        text: Box<str>,
    ) -> Result<(), Refused> {
        let deadline = Instant::now() + limiter.wait().min(LONGEST_WAIT);
        match call.take(&limiter, deadline).await {
            Decision::Passes => self.told(&limiter, Ok(())),
            Decision::Refused(no_room) => self.told(&limiter, Err(no_room)),
            Decision::Local => self.told(&limiter, limiter.take(here, &text, call.cost)),
            Decision::Unavailable => {
                limiter.calls.count(REFUSED);
                Err(Refused::new(RefusedKind::Unavailable, self.site.name, None))
            }
        }
    }

    pub(super) fn limiter(&'static self) -> Held<Limiter> {
        self.state.get(|| Limiter::new(self.annotated.clone()))
    }

    /// Counts the answer, and puts it into words.
    #[inline]
    fn told(&self, limiter: &Limiter, taken: Result<(), NoRoom>) -> Result<(), Refused> {
        match taken {
            Ok(()) => {
                limiter.calls.count(ALLOWED);
                Ok(())
            }
            Err(NoRoom(room_in)) => {
                limiter.calls.count(REFUSED);
                Err(Refused::new(RefusedKind::RateLimited, self.site.name, room_in))
            }
        }
    }
}
