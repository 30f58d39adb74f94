//! Tests of the workspace as a whole. This library is empty but for the documentation: its Rust blocks are tests.

/// The pages whose blocks `cargo test` compiles and runs.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../docs/operations.md")]
    struct Operations;

    #[doc = include_str!("../docs/tasks.md")]
    struct Tasks;

    #[doc = include_str!("../docs/testing.md")]
    struct Testing;
}
