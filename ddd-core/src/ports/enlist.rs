use super::{BoxFuture, Enqueued, NewTask, StoreError};

/// A connection or transaction of the user's that can take tasks along: they exist if and only if it commits.
///
/// Adapters implement it for their connections; `Submission::within` uses it.
pub trait Enlist: Send {
    /// Writes the tasks through this connection. One answer for each, in order.
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>>;
}

/// The same for a connection that does not await.
pub trait EnlistNow {
    /// Writes the tasks through this connection. One answer for each, in order.
    ///
    /// # Errors
    /// The connection could not write them.
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError>;
}
