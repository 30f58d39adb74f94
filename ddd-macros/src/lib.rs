//! The attributes of `ddd-core`, which re-exports and documents them.
