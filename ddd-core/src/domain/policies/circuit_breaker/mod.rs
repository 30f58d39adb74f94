//! Circuit breakers: when calls stop for a while, because what they call fails too often.

mod verdict;

pub use verdict::Verdict;
