use crate::domain::Moment;

/// That there is no room under a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Exceeded {
    /// There is none before this moment; if nothing else is taken until then, there is at it.
    Until(Moment),
    /// There never is: it is more than the whole limit.
    Always,
}
