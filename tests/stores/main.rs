//! Stores, driven through their port.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "seeds are printed")]

mod clock;
mod intake;
mod memory;
mod model;
mod racing;
mod watch;

/// The contract of the port, on a clock that stands and on one that goes.
mod contract {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use ddd_core::{Clock, MemoryStore, Timestamp, testing::conformance::StoreUnderTest};

    use crate::clock::TestClock;

    pub(crate) async fn on_a_clock_that_stands() -> StoreUnderTest {
        let clock = Arc::new(TestClock::new());
        let store = MemoryStore::with_clock(clock.clone());
        StoreUnderTest::new(Arc::new(store), move |duration| clock.advance(duration))
    }

    #[derive(Debug)]
    struct Going(TestClock, Instant);

    impl Clock for Going {
        fn now(&self) -> Timestamp {
            self.0.now().after(self.1.elapsed())
        }
    }

    pub(crate) async fn on_a_clock_that_goes() -> StoreUnderTest {
        let clock = Arc::new(Going(TestClock::new(), Instant::now()));
        let store = MemoryStore::with_clock(clock.clone());
        StoreUnderTest::new(Arc::new(store), move |duration: Duration| clock.0.advance(duration))
    }

    mod on_a_clock_that_stands_still {
        ddd_core::testing::store_conformance!(crate::contract::on_a_clock_that_stands());
    }

    mod on_a_clock_that_goes_by {
        ddd_core::testing::store_conformance!(crate::contract::on_a_clock_that_goes());
    }
}
