/// How a call ended, as far as a circuit breaker is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// What was called works.
    Good,
    /// What was called does not work.
    Failed,
    /// It says nothing about what was called: the input was wrong, or another policy refused the call.
    Ignored,
}
