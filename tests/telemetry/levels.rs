//! Levels change while the program runs.

use ddd_core::telemetry::{TelemetryError, set_level};

use crate::support::log;

/// The other tests of this process log at `info`, so only this target's levels change.
fn speak(mark: &str) {
    tracing::error!(target: "levels_test::inner", mark, at = "error");
    tracing::debug!(target: "levels_test::inner", mark, at = "debug");
    tracing::trace!(target: "levels_test::inner", mark, at = "trace");
}

#[test]
fn levels_hold_from_the_moment_that_the_call_returns() {
    let (telemetry, log) = log();
    let seen = |mark: &str| -> Vec<String> {
        speak(mark);
        let lines = log.where_(|it| it["mark"] == mark);
        lines.iter().map(|it| it["at"].as_str().unwrap().to_owned()).collect()
    };
    assert!(seen("off").is_empty());
    telemetry.set_level("info,levels_test=debug").unwrap();
    assert_eq!(seen("debug"), ["error", "debug"]);
    set_level("info,levels_test=off,levels_test::inner=trace").unwrap();
    assert_eq!(seen("trace"), ["error", "debug", "trace"]);
    for wrong in ["info,levels_test=lots", "", "levels_test[span]=info"] {
        assert!(matches!(set_level(wrong), Err(TelemetryError::Level(_))), "{wrong}");
    }
    assert_eq!(seen("still"), ["error", "debug", "trace"]);
    telemetry.set_level("info,levels_test=off").unwrap();
    assert_eq!(telemetry.levels().to_string(), "info,levels_test=off");
    assert!(seen("off again").is_empty());
}
