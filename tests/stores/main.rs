//! Stores, driven through their port.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "seeds are printed")]

mod clock;
mod intake;
mod memory;
mod model;
mod parked;
mod postgres;
mod racing;
mod sqlite;
mod watch;

/// The contract of the port, on a clock that stands and on one that goes.
mod contract {
    use std::{sync::Arc, time::Duration};

    use ddd_core::{MemoryStore, testing::conformance::StoreUnderTest};

    use crate::clock::{Going, TestClock};

    pub(crate) async fn on_a_clock_that_stands() -> StoreUnderTest {
        let clock = Arc::new(TestClock::new());
        let store = MemoryStore::with_clock(clock.clone());
        StoreUnderTest::new(Arc::new(store), move |duration| clock.advance(duration))
    }

    pub(crate) async fn on_a_clock_that_goes() -> StoreUnderTest {
        let clock = Arc::new(Going::new());
        let store = MemoryStore::with_clock(clock.clone());
        StoreUnderTest::new(Arc::new(store), move |duration: Duration| clock.advance(duration))
    }

    mod postgres {
        ddd_core::testing::store_conformance!(crate::postgres::on_the_servers_clock());
    }

    /// This program beside one of the next version, which has brought the tables up to date.
    mod postgres_on_tables_of_a_later_version {
        ddd_core::testing::store_conformance!(crate::postgres::on_tables_of_a_later_version());
    }
    mod postgres_on_tables_of_version_1 {
        ddd_core::testing::store_conformance!(crate::postgres::on_tables_of_version_1());
    }

    mod sqlite_on_a_clock_that_stands_still {
        ddd_core::testing::store_conformance!(crate::sqlite::on_a_clock_that_stands());
    }

    mod sqlite_on_a_clock_that_goes_by {
        ddd_core::testing::store_conformance!(crate::sqlite::on_a_clock_that_goes());
    }

    mod on_a_clock_that_stands_still {
        ddd_core::testing::store_conformance!(crate::contract::on_a_clock_that_stands());
    }

    mod on_a_clock_that_goes_by {
        ddd_core::testing::store_conformance!(crate::contract::on_a_clock_that_goes());
    }
}
