//! Values that threads do not fight over: each thread has a line of its own.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

/// So many threads have a line that no other thread writes to, until they end: more than a process usually has worker threads.
const OWNED: usize = 16;

/// How many lines there are: as many again are for all other threads, who share them.
pub(super) const LINES: usize = 2 * OWNED;

/// One value for each thread, on a cache line of its own. What they say together is the sum of them all.
#[derive(Debug, Default)]
pub(super) struct Stripes<T>([Apart<T>; LINES]);

/// A value whose cache line nothing else is on. 128 bytes: processors fetch pairs of lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

impl<T> Stripes<T> {
    /// The value of the calling thread.
    #[inline]
    pub(super) fn mine(&self) -> &T {
        self.at(Line::mine())
    }

    /// The value of a line.
    #[inline]
    pub(super) fn at(&self, line: Line) -> &T {
        &self.0[line.0 % LINES].0
    }

    /// The values of all threads.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|it| &it.0)
    }
}

const NONE: usize = usize::MAX;

thread_local! {
    /// Without a destructor, so that it can be read for as long as the thread lives.
    static MINE: Cell<usize> = const { Cell::new(NONE) };
    static OWNERSHIP: Ownership = const { Ownership(Cell::new(NONE)) };
}

/// The lines that threads own, a bit for each. The lock also hands over what the last owner wrote.
static TAKEN: Mutex<u32> = Mutex::new(0);

/// A thread's own line, which it gives back when it ends.
struct Ownership(Cell<usize>);

/// One of the lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line(usize);

impl Line {
    /// That of the calling thread.
    #[inline]
    pub(super) fn mine() -> Self {
        let mine = MINE.get();
        Self(if mine == NONE { choose() } else { mine })
    }

    /// The line with this number, of [`LINES`].
    pub(super) const fn number(number: usize) -> Self {
        Self(number)
    }

    /// A number that no other line has.
    pub(super) const fn as_number(self) -> usize {
        self.0
    }

    /// One more in a counter that stands in this line, which is the calling thread's.
    #[inline]
    pub(super) fn count(self, counter: &AtomicU64) -> u64 {
        if self.0 >= OWNED {
            return counter.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        }
        // No other thread writes to it before this one ends; and an addition that nobody can come between takes 20 times as long.
        let one_more = counter.load(Ordering::Relaxed).wrapping_add(1);
        counter.store(one_more, Ordering::Relaxed);
        one_more
    }
}

#[cold]
fn choose() -> usize {
    // A thread whose destructors run already shares a line.
    let own = OWNERSHIP.try_with(Ownership::take).ok().flatten();
    let line = own.unwrap_or_else(shared);
    MINE.set(line);
    line
}

/// One of the shared lines, each in turn.
fn shared() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    OWNED + NEXT.fetch_add(1, Ordering::Relaxed) % (LINES - OWNED)
}

impl Ownership {
    fn take(&self) -> Option<usize> {
        let mut taken = TAKEN.lock();
        let line = taken.trailing_ones() as usize;
        if line >= OWNED {
            return None;
        }
        *taken |= 1 << line;
        self.0.set(line);
        Some(line)
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        let line = self.0.get();
        if line != NONE {
            // Destructors that run after this one still count.
            MINE.set(shared());
            *TAKEN.lock() &= !(1 << line);
        }
    }
}
