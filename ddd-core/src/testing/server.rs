use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    domain::Moment,
    ports::{StoreError, StoreErrorKind, StoreFuture},
};

/// What the stores of shared policies in memory are: something under a clock that can be away. Clones are the same one.
pub(super) struct Server<S>(Arc<Inner<S>>);

struct Inner<S> {
    clock: Box<dyn Fn() -> Moment + Send + Sync>,
    is_away: AtomicBool,
    holds: S,
}

impl<S: Default> Server<S> {
    pub(super) fn new(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { clock: Box::new(clock), is_away: AtomicBool::new(false), holds: S::default() }))
    }
}

impl<S> Server<S> {
    pub(super) fn set_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::Release);
    }

    /// What it holds, whether it is away or not.
    pub(super) fn holds(&self) -> &S {
        &self.0.holds
    }

    pub(super) fn now(&self) -> Moment {
        (self.0.clock)()
    }
}

impl<S: Send + Sync + 'static> Server<S> {
    /// Does something with what it holds, at the time of the first poll; unless it is away then.
    pub(super) fn call<T>(&self, act: impl FnOnce(&S, Moment) -> T + Send + 'static) -> StoreFuture<T>
    where
        T: Send + 'static,
    {
        let this = self.clone();
        Box::pin(async move {
            if this.0.is_away.load(Ordering::Acquire) {
                return Err(StoreError::new(StoreErrorKind::Unavailable, "the test took the store away"));
            }
            Ok(act(this.holds(), this.now()))
        })
    }
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("is_away", &self.0.is_away).finish_non_exhaustive()
    }
}
