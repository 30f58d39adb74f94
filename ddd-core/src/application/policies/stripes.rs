//! Counters that threads do not fight over: each thread has a line of its own.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

/// How many lines there are: more than a process usually has worker threads. More threads share lines.
const LINES: usize = 16;

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
        &self.0[line()].0
    }

    /// The values of all threads.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|it| &it.0)
    }
}

/// The line of the calling thread.
#[inline]
fn line() -> usize {
    const NONE: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: Cell<usize> = const { Cell::new(NONE) });
    MINE.with(|mine| {
        if mine.get() == NONE {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        // The mask tells the compiler that the index is in bounds.
        mine.get() % LINES
    })
}
