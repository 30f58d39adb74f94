//! The task engine beside its peers. Run it with `cargo bench -p ddd-benches -- engine`; `docs/benchmarks.md` explains it.
#![allow(clippy::expect_used, reason = "a measurement that cannot be taken ends the run")]

mod apalis;
mod floor;
mod ids;
mod protocol;
mod throughput;

use ddd_benches::{Arguments, note};

fn main() {
    let arguments = Arguments::from_env();
    if arguments.list {
        throughput::cases().iter().filter(|it| arguments.selects(it)).for_each(|it| note(it));
        return;
    }
    throughput::run(&arguments);
}
