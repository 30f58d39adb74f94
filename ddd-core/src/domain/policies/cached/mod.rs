//! Caches: what is stored, for how long, and what counts as fresh.

mod envelope;
mod freshness;
mod settings;
mod stored;
mod tag;

pub use envelope::CacheEnvelope;
pub use freshness::{Freshness, Spans};
pub use settings::CachedSettings;
pub use stored::Stored;
pub use tag::Tag;
