//! Bulkheads: so many calls at once.

mod settings;

pub use settings::BulkheadSettings;
