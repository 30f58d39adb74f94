/// What a function returned, as far as a cache is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stored {
    /// A value: it is stored for `ttl`.
    Positive,
    /// The answer that there is none, such as `None`: it is stored for `negative_ttl`, if there is one.
    Negative,
    /// An error: it is stored for `negative_ttl`, if there is one, unless an older value may stand in for it.
    Error,
    /// Not to be stored.
    No,
}
