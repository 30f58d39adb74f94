use std::time::Duration;

/// As good as for ever. A longer time cannot be added to every instant.
pub(super) const FAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// The bounds of a server.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) header_bytes: usize,
    pub(super) header_timeout: Duration,
    pub(super) body_bytes: u64,
    pub(super) body_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) streams: u32,
    pub(super) compresses: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            header_bytes: 16 << 10,
            header_timeout: Duration::from_secs(10),
            body_bytes: 16 << 20,
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            streams: 100,
            compresses: true,
        }
    }
}
