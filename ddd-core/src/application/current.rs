//! Which task's body runs here and now: what it submits comes from that task.

use std::{cell::RefCell, future::poll_fn, pin::pin};

use crate::{
    domain::{Origin, TaskId},
    ports::AttemptInfo,
};

thread_local! {
    static CURRENT: RefCell<Option<Inherited>> = const { RefCell::new(None) };
}

/// What the tasks that a body submits have from its own.
#[derive(Clone, Debug)]
pub(crate) struct Inherited {
    parent: TaskId,
    /// Few tasks have one, and nobody counts how many share it.
    origin: Option<Box<Origin>>,
}

impl Inherited {
    pub(crate) fn of(info: &AttemptInfo) -> Self {
        let origin = info.origin.as_ref().map(|it| Box::new(Origin { schedule: None, ..it.clone() }));
        Self { parent: info.id, origin }
    }
}

/// Runs `work` as a part of a body, most often one poll of it. `None` leaves everything as it is.
pub(crate) fn within<T>(inherited: &mut Option<Inherited>, work: impl FnOnce() -> T) -> T {
    if inherited.is_none() {
        return work();
    }
    let mut swapped = Swapped { inherited };
    swapped.swap();
    work()
}

/// Puts back what was before, also if the work panics.
struct Swapped<'a> {
    inherited: &'a mut Option<Inherited>,
}

impl Swapped<'_> {
    fn swap(&mut self) {
        // A thread that ends has nothing to be told any more.
        let _ = CURRENT.try_with(|it| std::mem::swap(&mut *it.borrow_mut(), self.inherited));
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        self.swap();
    }
}

/// The origin of what is submitted here; `None` outside of bodies.
pub(crate) fn origin() -> Option<Origin> {
    let of = |it: &Inherited| {
        let origin = it.origin.as_deref().cloned().unwrap_or_default();
        Origin { parent: Some(it.parent), ..origin }
    };
    CURRENT.try_with(|it| it.borrow().as_ref().map(of)).ok().flatten()
}

/// A future whose every poll is a part of a body.
pub(crate) async fn inside<T>(mut inherited: Option<Inherited>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| within(&mut inherited, || future.as_mut().poll(cx))).await
}
