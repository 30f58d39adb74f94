//! Which events are written. What it decides is kept with each place in the code that logs, so an event that nobody wants
//! costs a comparison.

use std::sync::Arc;

use parking_lot::RwLock;
use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{Layer, layer::Context};

use crate::domain::{LogLevel, LogLevels};

/// The levels in force.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Arc<RwLock<LogLevels>>);

impl Filter {
    pub(crate) fn new(levels: LogLevels) -> Self {
        Self(Arc::new(RwLock::new(levels)))
    }

    pub(crate) fn levels(&self) -> LogLevels {
        self.0.read().clone()
    }

    /// Puts other levels in force: when this returns, they hold everywhere.
    pub(crate) fn set(&self, levels: LogLevels) {
        *self.0.write() = levels;
        tracing::callsite::rebuild_interest_cache();
    }

    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        let levels = self.0.read();
        // Spans at the level of errors give the lines in them their ids: they are there as long as anything is written.
        if metadata.is_span() && *metadata.level() == Level::ERROR {
            return levels.most() > LogLevel::Off;
        }
        level_filter(levels.of(metadata.target())) >= *metadata.level()
    }
}

const fn level_filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

impl<S: Subscriber> Layer<S> for Filter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.lets_through(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(level_filter(self.0.read().most()))
    }
}
