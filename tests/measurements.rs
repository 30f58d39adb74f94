//! The code that the measurements share: what is selected, how samples become figures, how these are printed.

use std::cell::RefCell;

use ddd_benches::{Arguments, Better, Case, interleave, median, percentile, processor_time};

fn parse(line: &str) -> Arguments {
    Arguments::parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn without_words_every_case_is_selected() {
    assert!(parse("--bench").selects("engine/overlapped/floor"));
}

#[test]
fn a_word_selects_the_cases_that_hold_it() {
    let arguments = parse("overlapped light --bench");
    assert!(arguments.selects("engine/overlapped/floor"));
    assert!(arguments.selects("engine/light_load/channel"));
    assert!(!arguments.selects("engine/claim/depth"));
}

#[test]
fn flags_are_read() {
    let arguments = parse("engine --rounds=9 --list");
    assert_eq!((arguments.rounds, arguments.list), (9, true));
    assert_eq!(parse("engine").rounds, Arguments::ROUNDS);
    assert_eq!(parse("overlapped --solo=floor").solo.as_deref(), Some("floor"));
}

#[test]
#[should_panic(expected = "5 or more")]
fn too_few_rounds_for_a_median_are_refused() {
    let _ = parse("--rounds=3");
}

#[test]
#[should_panic(expected = "unknown flag `--round`")]
fn an_unknown_flag_is_refused() {
    let _ = parse("--round=9");
}

#[test]
fn the_median_is_the_middle_whatever_the_order() {
    assert_eq!(median([9.0, 1.0, 5.0]), 5.0);
    assert_eq!(median([4.0, 1.0, 2.0, 9.0]), 3.0);
}

#[test]
fn percentiles_are_samples() {
    let samples = || (1..=200).map(f64::from);
    assert_eq!(percentile(samples(), 50), 100.0);
    assert_eq!(percentile(samples(), 99), 198.0);
    assert_eq!(percentile([7.0], 50), 7.0);
}

#[test]
fn sources_take_turns_and_each_is_first_once() {
    let order = RefCell::new(Vec::new());
    let samples = interleave(
        2,
        &mut [
            Box::new(|| {
                order.borrow_mut().push('a');
                1
            }),
            Box::new(|| {
                order.borrow_mut().push('b');
                2
            }),
        ],
    );
    assert_eq!(samples, [[1, 1], [2, 2]]);
    assert_eq!(*order.borrow(), ['a', 'b', 'b', 'a']);
}

#[test]
fn a_case_is_one_line_of_six_keys() {
    let case = Case::new("engine/overlapped/floor", 1_234_567.0, ("floor", 1_000_000.0), "tasks/s", Better::More);
    let line = serde_json::to_string(&case).unwrap_or_default();
    assert_eq!(
        line,
        r#"{"case":"engine/overlapped/floor","ours":1235000.0,"peer":1000000.0,"peer_name":"floor","ratio":1.235,"unit":"tasks/s"}"#
    );
}

#[test]
fn the_ratio_is_above_one_if_ours_is_better() {
    let of = |better| Case::new("a/b/c", 2.0, ("peer", 4.0), "ns", better).ratio;
    assert_eq!(of(Better::More), 0.5);
    assert_eq!(of(Better::Less), 2.0);
}

#[test]
fn small_figures_keep_their_digits() {
    assert_eq!(Case::new("a/b/c", 0.000_123_456, ("peer", 1.0), "s", Better::Less).ours, 0.000_123_5);
}

#[test]
fn processor_time_of_a_process_is_counted() {
    let me = std::process::id();
    if !cfg!(target_os = "linux") {
        assert_eq!(processor_time(me), None);
        return;
    }
    let before = processor_time(me);
    assert!(before.is_some(), "this process is there");
    // It is counted in steps; this loop is what takes the next one.
    while processor_time(me) == before {}
    assert!(processor_time(me) > before);
    assert_eq!(processor_time(0), None, "no process has this id");
}
