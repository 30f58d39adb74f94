//! A value that is replaced now and then, and read all the time.

use std::{
    fmt,
    ops::Deref,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

/// What is in force now, of something that a reload of the configuration may change. Read it as a reference to the value; who
/// reads twice may see two values.
///
/// Values that were in force stay where they are, so that reading takes one load and no lock, and references hold on. One that
/// comes again is not kept twice, so what this takes is bounded by how many different values there have been.
pub struct InForce<T> {
    first: T,
    /// Which value is in force: 0 is the first.
    current: AtomicUsize,
    /// The others: `n` is in the row of its highest bit. Rows are as long as all before them together.
    later: OnceLock<Rows<T>>,
    /// How many values there are.
    count: Mutex<usize>,
}

type Row<T> = Box<[OnceLock<T>]>;
type Rows<T> = Box<[OnceLock<Row<T>>; usize::BITS as usize]>;

impl<T> InForce<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self { first, current: AtomicUsize::new(0), later: OnceLock::new(), count: Mutex::new(1) }
    }

    /// The value of this number; the first one if there is none.
    fn at(&self, number: usize) -> &T {
        if number == 0 {
            return &self.first;
        }
        let (row, place) = place_of(number);
        let found = self.later.get().and_then(|it| it[row].get()).and_then(|it| it[place].get());
        found.unwrap_or(&self.first)
    }
}

impl<T: PartialEq> InForce<T> {
    /// From now on this value is in force.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only a configuration changes settings"))]
    pub(crate) fn set(&self, value: T) {
        let mut count = self.count.lock();
        if **self == value {
            return;
        }
        let number = (0..*count).find(|it| *self.at(*it) == value).unwrap_or_else(|| {
            let number = *count;
            let (row, place) = place_of(number);
            let rows = self.later.get_or_init(|| Box::new([const { OnceLock::new() }; usize::BITS as usize]));
            let row = rows[row].get_or_init(|| (0..1 << row).map(|_| OnceLock::new()).collect());
            // Its place is free: numbers are given under the lock, and once.
            let _ = row[place].set(value);
            *count += 1;
            number
        });
        self.current.store(number, Ordering::Release);
    }
}

/// The row and the place in it of a number from 1 up.
const fn place_of(number: usize) -> (usize, usize) {
    let row = number.ilog2() as usize;
    (row, number - (1 << row))
}

impl<T> Deref for InForce<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.at(self.current.load(Ordering::Acquire))
    }
}

impl<T: fmt::Debug> fmt::Debug for InForce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for InForce<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_is_in_force_and_earlier_references_hold() {
        let value = InForce::new(0);
        let first = &*value;
        for number in (0..1_000).chain(0..1_000) {
            value.set(number);
            assert_eq!((*value, *first), (number, 0));
        }
        // What came again is not kept twice.
        assert_eq!(*value.count.lock(), 1_000);
    }

    #[test]
    fn readers_see_whole_values() {
        let value = InForce::new((0_u64, 0_u64));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let (a, b) = *value;
                        assert_eq!(a, b);
                    }
                });
            }
            for number in 0..500 {
                value.set((number, number));
            }
        });
    }
}
