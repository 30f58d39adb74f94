use super::exceeded::Exceeded;
use crate::domain::Moment;

/// How a token bucket fills: the generic cell rate algorithm (ITU-T I.371), in the form of virtual scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the algorithm knows no more")]
pub struct Refill {
    /// The time that refills one token, in nanoseconds.
    pub interval: u64,
    /// The time that fills an empty bucket, in nanoseconds.
    pub capacity: u64,
}

impl Refill {
    /// Takes `cost` tokens from a bucket that is full at `full_at`; answers with when it then is full.
    ///
    /// # Errors
    /// There are not so many in it.
    #[inline]
    pub fn take(&self, full_at: Moment, cost: u32, now: Moment) -> Result<Moment, Exceeded> {
        let cost = self.interval.saturating_mul(cost.into());
        if cost > self.capacity {
            return Err(Exceeded::Always);
        }
        let then = full_at.max(now).as_nanos().saturating_add(cost);
        let earliest = then.saturating_sub(self.capacity);
        if earliest <= now.as_nanos() {
            Ok(Moment::from_nanos(then))
        } else {
            Err(Exceeded::Until(Moment::from_nanos(earliest)))
        }
    }
}
