//! Function policies, through the attributes and the public interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod hygiene;
