//! Which task's body, or whose request, runs here and now: what it submits comes from there, and what it logs says so.

use std::{cell::RefCell, future::poll_fn, pin::pin};

use tracing::Span;

use super::task_span::Described;
use crate::{
    domain::{Origin, TaskId, TraceContext},
    ports::AttemptInfo,
};

thread_local! {
    static CURRENT: RefCell<Option<Inherited>> = const { RefCell::new(None) };
}

/// What the tasks that a body submits have from its own.
#[derive(Clone, Debug)]
pub(crate) struct Inherited {
    /// The body's task; `None` in a request.
    parent: Option<TaskId>,
    /// Few tasks have one, and nobody counts how many share it.
    origin: Option<Box<Origin>>,
    late: Late,
}

/// The span of a body, if it is made only when somebody asks for it.
#[derive(Clone, Debug)]
enum Late {
    /// It was made before, or there is none.
    No,
    /// Nobody has asked yet.
    Wanted(Box<Described>),
    /// It is entered wherever the body is.
    Made(Span),
}

impl Inherited {
    pub(crate) fn of(info: &AttemptInfo) -> Self {
        let origin = info.origin.as_ref().map(|it| Box::new(Origin { schedule: None, ..it.clone() }));
        Self { parent: Some(info.id), origin, late: Late::No }
    }

    /// With a span that is made when somebody asks for it.
    pub(crate) fn with_late_span(self, of: Described) -> Self {
        Self { late: Late::Wanted(Box::new(of)), ..self }
    }

    fn made(&self) -> Option<&Span> {
        if let Late::Made(span) = &self.late { Some(span) } else { None }
    }
}

/// Runs `work` as a part of a body, most often one poll of it. `None` leaves everything as it is.
pub(crate) fn within<T>(inherited: &mut Option<Inherited>, work: impl FnOnce() -> T) -> T {
    let Some(before) = inherited.as_ref() else { return work() };
    // A body within a body: the span of the outer one is around that of the inner one.
    make_span();
    if let Some(span) = before.made() {
        span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
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
        if let Some(span) = self.inherited.as_ref().and_then(Inherited::made) {
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        }
    }
}

/// Makes the span of the body that runs here, if it has none yet, and enters it: somebody asks in which span they are.
///
/// Called by the subscriber before it looks for itself. What making the span calls in turn finds that none is wanted.
pub(crate) fn make_span() {
    let wanted = with(|it| {
        if !matches!(it.late, Late::Wanted(_)) {
            return None;
        }
        let Late::Wanted(described) = std::mem::replace(&mut it.late, Late::No) else { return None };
        Some((described, it.origin.clone()))
    });
    let Some((described, origin)) = wanted.flatten() else { return };
    let span = described.span(origin.as_deref());
    span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
    with(|it| it.late = Late::Made(span));
}

/// Looks at the body that runs here; `None` if none does.
fn with<T>(look: impl FnOnce(&mut Inherited) -> T) -> Option<T> {
    CURRENT.try_with(|it| it.try_borrow_mut().ok()?.as_mut().map(look)).ok().flatten()
}

/// The origin of what is submitted here; `None` outside of bodies and requests.
pub(crate) fn origin() -> Option<Origin> {
    with(|it| {
        let origin = it.origin.as_deref().cloned().unwrap_or_default();
        Origin { parent: it.parent.or(origin.parent), ..origin }
    })
}

/// The trace that the body's task was submitted in, or the request's; `None` outside of both.
pub(crate) fn trace() -> Option<TraceContext> {
    with(|it| TraceContext::parse(it.origin.as_ref()?.traceparent.as_deref()?)).flatten()
}

/// A future whose every poll is a part of a body.
pub(crate) async fn inside<T>(mut inherited: Option<Inherited>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| within(&mut inherited, || future.as_mut().poll(cx))).await
}

/// Awaits a future, such as the answer to a request: what it submits has this origin, where the submission does not say
/// otherwise. What it spawns is no longer a part of it. In a task's body it stands in for that of the body.
///
/// `ddd-web` does this for the requests that it answers; it is for other ways in.
///
/// ```
/// use ddd_core::{App, Origin, with_origin};
///
/// # async fn example(app: &App) -> Result<(), ddd_core::SubmitError> {
/// let mut origin = Origin::default();
/// origin.request_id = Some("delivery-7".to_owned());
/// with_origin(origin, async {
///     app.submit_named("confirm_order", &serde_json::json!({ "order": 4711 })).await
/// }).await?;
/// # Ok(()) }
/// ```
pub async fn with_origin<F: Future>(origin: Origin, future: F) -> F::Output {
    inside(Some(Inherited { parent: None, origin: Some(Box::new(origin)), late: Late::No }), future).await
}
