use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Notify, futures::Notified};

/// Wakes slots that wait for work: rung when a task may be ready. It costs next to nothing while no slot looks for one.
///
/// It has cache lines of its own: every submission looks at it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Bell {
    /// How many slots look for work, or wait for it.
    listening: AtomicUsize,
    /// How many of them wait.
    waiting: AtomicUsize,
    /// It was rung, and no slot has begun to look since.
    rung: AtomicBool,
    heard: Notify,
}

/// A slot counts as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted<'a>(&'a AtomicUsize);

impl Bell {
    /// A slot begins to listen. It must look for work after this: what came before was not rung for.
    pub(crate) fn listen(&self) -> Counted<'_> {
        Counted::new(&self.listening)
    }

    /// A slot begins to wait. What a store puts off as long as nobody waits must be settled after this.
    pub(crate) fn wait(&self) -> Counted<'_> {
        Counted::new(&self.waiting)
    }

    /// Whether a slot waits.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// A task may be ready: one slot looks, if one listens. Until it does, once is enough.
    pub(crate) fn ring(&self) {
        let is_heard = self.listening.load(Ordering::SeqCst) > 0;
        if is_heard && !self.rung.load(Ordering::SeqCst) && !self.rung.swap(true, Ordering::SeqCst) {
            self.heard.notify_one();
        }
    }

    /// A slot is about to look: what comes from now on is to be rung for again.
    pub(crate) fn looks(&self) {
        if self.rung.load(Ordering::SeqCst) {
            self.rung.store(false, Ordering::SeqCst);
        }
    }

    /// Whether it was rung for something that no slot has looked for.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    /// Wakes a slot, whatever was rung before.
    pub(crate) fn wake_one(&self) {
        self.heard.notify_one();
    }

    /// Wakes all slots that wait.
    pub(crate) fn wake_all(&self) {
        self.heard.notify_waiters();
    }

    /// Ends when it is rung. Take the future before looking.
    pub(crate) fn heard(&self) -> Notified<'_> {
        self.heard.notified()
    }
}

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
