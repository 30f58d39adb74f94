//! Tests of the workspace as a whole. This library holds what several of them use, and the documentation: its Rust blocks are
//! tests.

pub mod kit;

/// The pages whose blocks `cargo test` compiles and runs. The test `docs` checks that none is missing.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../docs/architecture.md")]
    struct Architecture;

    #[doc = include_str!("../docs/benchmarks.md")]
    struct Benchmarks;

    #[doc = include_str!("../docs/bulkhead.md")]
    struct Bulkhead;

    #[doc = include_str!("../docs/cached.md")]
    struct Cached;

    #[doc = include_str!("../docs/circuit_breaker.md")]
    struct CircuitBreaker;

    #[doc = include_str!("../docs/configuration.md")]
    struct Configuration;

    #[doc = include_str!("../docs/decisions.md")]
    struct Decisions;

    #[doc = include_str!("../docs/http.md")]
    struct Http;

    #[doc = include_str!("../docs/logging.md")]
    struct Logging;

    #[doc = include_str!("../docs/macros.md")]
    struct Macros;

    #[doc = include_str!("../docs/metrics.md")]
    struct Metrics;

    #[doc = include_str!("../docs/operations.md")]
    struct Operations;

    #[doc = include_str!("../docs/reliability.md")]
    struct Reliability;

    #[doc = include_str!("../docs/retry.md")]
    struct Retry;
    #[doc = include_str!("../docs/postgres.md")]
    struct Postgres;

    #[doc = include_str!("../docs/rate_limited.md")]
    struct RateLimited;
    #[doc = include_str!("../docs/policies.md")]
    struct Policies;

    #[doc = include_str!("../docs/service.md")]
    struct Service;

    #[doc = include_str!("../docs/stores.md")]
    struct Stores;

    #[doc = include_str!("../docs/tasks.md")]
    struct Tasks;

    #[doc = include_str!("../docs/testing.md")]
    struct Testing;

    #[doc = include_str!("../docs/timeout.md")]
    struct Timeout;

    #[doc = include_str!("../docs/tracing.md")]
    struct Tracing;
}
