use std::{
    fmt::{self, Debug},
    hash::Hash,
    marker::PhantomData,
};

use super::cell::RateLimitedCell;
use crate::{
    domain::{LimitState, Refused},
    ports::StoreError,
};

/// The rate limit of a function, by hand: typed by its key.
///
/// ```
/// use ddd_core::{Refused, rate_limited};
///
/// #[rate_limited(3, per = "1m", key = tenant, handle = SEARCHES: u32, name = "search_by_hand")]
/// async fn search(tenant: u32, text: &str) -> Result<usize, Refused> {
///     Ok(text.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// search(7, "lamps").await?;
/// SEARCHES.acquire(&7, 2).await?; // what costs as much as two searches
/// assert_eq!(SEARCHES.state(&7).await?.remaining, 0);
/// SEARCHES.give_back(&7, 1).await?; // half of it was not done
/// assert!(search(7, "chairs").await.is_ok());
/// # Ok(()) }
/// ```
///
/// The limit of a function without `key` has a handle of the key `()`.
pub struct LimitHandle<K: ?Sized + 'static> {
    cell: &'static RateLimitedCell,
    has_key: bool,
    key: PhantomData<fn(&K)>,
}

impl<K: Hash + Debug + ?Sized> LimitHandle<K> {
    /// The handle of a limit with a key. Called by generated code.
    #[must_use]
    pub const fn new(cell: &'static RateLimitedCell) -> Self {
        Self { cell, has_key: true, key: PhantomData }
    }

    /// The limit that it leads to. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn cell(&self) -> &'static RateLimitedCell {
        self.cell
    }

    /// Takes `weight` as a call of the function would: it waits if the attribute says so, and counts among its figures. A weight
    /// of zero always passes.
    ///
    /// # Errors
    /// As a call of the function is refused.
    ///
    /// # Panics
    /// It must wait, and there is no tokio runtime with its timer enabled.
    pub async fn acquire(&self, key: &K, weight: u32) -> Result<(), Refused> {
        if self.has_key { self.cell.admit(key, weight).await } else { self.cell.admit((), weight).await }
    }

    /// How the limit stands for this key. Nothing is taken, and nothing counted.
    ///
    /// # Errors
    /// The limit is shared, and its store does not answer.
    pub async fn state(&self, key: &K) -> Result<LimitState, StoreError> {
        if self.has_key { self.cell.state_of(&key).await } else { self.cell.state_of(&()).await }
    }

    /// Gives back what was taken and not used, the latest first, at most all of it; calls that wait ask again.
    ///
    /// # Errors
    /// The limit is shared, and its store does not answer. Then it is given back to this process's own limit, which counts while
    /// the store is away.
    pub async fn give_back(&self, key: &K, weight: u32) -> Result<(), StoreError> {
        if self.has_key { self.cell.give_back(&key, weight).await } else { self.cell.give_back(&(), weight).await }
    }

    /// Forgets all that this key has used.
    ///
    /// # Errors
    /// The limit is shared, and its store does not answer.
    pub async fn forget(&self, key: &K) -> Result<(), StoreError> {
        if self.has_key { self.cell.forget(&key).await } else { self.cell.forget(&()).await }
    }
}

impl LimitHandle<()> {
    /// The handle of a limit without a key. Called by generated code.
    #[must_use]
    pub const fn without_key(cell: &'static RateLimitedCell) -> Self {
        Self { cell, has_key: false, key: PhantomData }
    }
}

impl<K: ?Sized> Debug for LimitHandle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LimitHandle").field(self.cell).finish()
    }
}
