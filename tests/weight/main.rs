//! What the library costs those who add it: crates in their tree, and time to build.
//!
//! The count is an ordinary test. The times are measured side by side in fresh packages, which takes minutes, a quiet
//! machine and the network: `make nightly`, or
//! `cargo test -p ddd-tests --test weight -- --ignored --nocapture --test-threads 1`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures are for reading")]

mod fresh;
mod measured;

/// Our own crates counted, the fresh one not.
const MOST_CRATES: usize = 60;

#[test]
fn the_default_features_bring_few_crates() {
    let crates = fresh::crates_of_workspace_package("ddd-core");
    println!("{} crates: {}", crates.len(), crates.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    assert!(crates.len() > 10, "the list is not whole: {crates:?}");
    assert!(crates.len() <= MOST_CRATES, "{} crates, at most {MOST_CRATES}: {crates:?}", crates.len());
}
