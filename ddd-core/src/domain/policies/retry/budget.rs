use std::time::Duration;

use crate::domain::Moment;

/// How many retries several functions have left together, so that retries do not multiply the load on what is down.
///
/// It holds [`Budget::SIZE`] retries when full. Every retry takes one. Every call that ends well gives back a tenth, and
/// every second gives back one. So in the long run there is at most one retry for ten good calls, plus one each second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In parts of a retry, so that nothing is lost by rounding.
    parts: u64,
    /// Up to when the time has been paid out.
    paid: Moment,
}

impl Budget {
    /// How many retries it holds when full.
    pub const SIZE: u32 = 100;

    /// A retry in parts: one for each millisecond of the second that gives it back.
    const RETRY: u64 = 1_000;
    const GOOD_CALL: u64 = Self::RETRY / 10;
    const FULL: u64 = Self::SIZE as u64 * Self::RETRY;

    /// A full one.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self { parts: Self::FULL, paid: now }
    }

    /// Takes a retry, if one is left.
    pub fn take(&mut self, now: Moment) -> bool {
        self.pay(now);
        match self.parts.checked_sub(Self::RETRY) {
            Some(rest) => {
                self.parts = rest;
                true
            }
            None => false,
        }
    }

    /// Gives back what a call that ended well gives back.
    pub fn give(&mut self) {
        self.parts = (self.parts + Self::GOOD_CALL).min(Self::FULL);
    }

    /// Whether nothing can be given back.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.parts == Self::FULL
    }

    /// How many whole retries are left.
    #[must_use]
    pub fn left(&mut self, now: Moment) -> u32 {
        self.pay(now);
        u32::try_from(self.parts / Self::RETRY).unwrap_or(Self::SIZE)
    }

    /// Gives back what the time since the last payment gives back. A clock that went back gives nothing.
    fn pay(&mut self, now: Moment) {
        let millis = u64::try_from(now.since(self.paid).as_millis()).unwrap_or(u64::MAX);
        self.parts = self.parts.saturating_add(millis).min(Self::FULL);
        self.paid = self.paid.after(Duration::from_millis(millis));
    }
}
