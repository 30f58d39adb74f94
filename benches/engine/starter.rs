use std::time::Duration;

/// Something that starts work.
pub(crate) trait Starter {
    /// Hands over one piece of work; answers how long it took until that started, when it has ended.
    fn start_one(&mut self) -> impl Future<Output = Duration>;
}
