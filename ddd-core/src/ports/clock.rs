use crate::domain::Timestamp;

/// What time it is. Waiting goes through the runtime's timer.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}
