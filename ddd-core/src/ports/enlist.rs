use super::{BoxFuture, Enqueued, NewTask, StoreError, StorePlace};

/// A connection or transaction of the user's that can take tasks along: they exist if and only if it commits.
///
/// Adapters implement it for their connections; `Submission::within` uses it.
pub trait Enlist: Send {
    /// Writes the tasks through this connection. One answer for each, in order.
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>>;

    /// The same for an application whose store is this one. A connection that leads elsewhere refuses with
    /// [`StoreErrorKind::OtherStore`](super::StoreErrorKind::OtherStore); one that does not know writes them, unless an adapter says
    /// otherwise.
    fn enlist_in(
        &mut self,
        place: &StorePlace,
        tasks: Vec<NewTask>,
    ) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        let _ = place;
        self.enlist(tasks)
    }
}

/// The same for a connection that does not await.
pub trait EnlistNow {
    /// Writes the tasks through this connection. One answer for each, in order.
    ///
    /// # Errors
    /// The connection could not write them.
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError>;

    /// The same for an application whose store is this one.
    ///
    /// # Errors
    /// The connection could not write them, or leads elsewhere
    /// ([`StoreErrorKind::OtherStore`](super::StoreErrorKind::OtherStore)). One that does not know writes them, unless an adapter
    /// says otherwise.
    fn enlist_in(&self, place: &StorePlace, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        let _ = place;
        self.enlist(tasks)
    }
}
