//! What one atomic number says of a limit, so that most calls need nothing else.

use crate::domain::{Moment, Standing};

/// The lowest bits say which of the four it is.
const KIND: u64 = 0b11;
const CLOSED: u64 = 0b01;
const LEASE: u64 = 0b10;
const BUCKET: u64 = 0b11;
/// A lease ends at a multiple of 2¹⁷ ns, 131 µs. Its end takes 42 bits, what is left of it 20.
const TICK: u32 = 17;
const LEFT: u32 = 20;

/// [`Standing::Unknown`], as a number.
pub(super) const UNKNOWN: u64 = 0;

/// What the number says.
#[inline]
pub(super) const fn read(word: u64) -> Standing {
    match word & KIND {
        CLOSED => Standing::Closed(Moment::from_nanos(word >> 2)),
        BUCKET => Standing::Bucket(Moment::from_nanos(word >> 2)),
        LEASE => {
            let left = (word >> 2) & ((1 << LEFT) - 1);
            // Both fit: the one has 20 bits, the other is a number of ticks.
            Standing::Lease { until: Moment::from_nanos((word >> (2 + LEFT)) << TICK), left: left as u32 }
        }
        _ => Standing::Unknown,
    }
}

/// The number that says it, or less: a lease is cut to what fits, and what does not fit at all is unknown.
#[inline]
pub(super) fn written(standing: Standing) -> u64 {
    let fits = |at: Moment, kind: u64| if at.as_nanos() >> 62 == 0 { at.as_nanos() << 2 | kind } else { UNKNOWN };
    match standing {
        Standing::Unknown => UNKNOWN,
        Standing::Closed(until) => fits(until, CLOSED),
        Standing::Bucket(full_at) => fits(full_at, BUCKET),
        Standing::Lease { until, left } => {
            let ticks = until.as_nanos() >> TICK;
            if ticks >> (62 - LEFT) != 0 {
                return UNKNOWN;
            }
            ticks << (2 + LEFT) | u64::from(left.min((1 << LEFT) - 1)) << 2 | LEASE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let at = Moment::from_nanos(5 << TICK);
        let all =
            [Standing::Unknown, Standing::Closed(at), Standing::Bucket(at), Standing::Lease { until: at, left: 7 }];
        for standing in all {
            assert_eq!(read(written(standing)), standing);
        }
    }

    #[test]
    fn what_does_not_fit_is_less_and_never_more() {
        for standing in [Standing::Closed(Moment::MAX), Standing::Bucket(Moment::MAX)] {
            assert_eq!(read(written(standing)), Standing::Unknown);
        }
        let long = Standing::Lease { until: Moment::MAX, left: 1 };
        assert_eq!(read(written(long)), Standing::Unknown);
        let odd = Moment::from_nanos((5 << TICK) + 1);
        let read = read(written(Standing::Lease { until: odd, left: u32::MAX }));
        assert_eq!(read, Standing::Lease { until: Moment::from_nanos(5 << TICK), left: (1 << LEFT) - 1 });
    }
}
