//! The rules of schedules: when a tick is due.

use ddd_core::{Schedule, Timestamp};

use crate::support::{millis, secs};

fn ticks(rule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let mut at = Timestamp::parse(from).unwrap();
    let mut ticks = Vec::new();
    for _ in 0..count {
        let Some(next) = rule.next_after(at) else { break };
        assert!(next > at, "a tick is after, never at: {next}");
        ticks.push(next.to_string());
        at = next;
    }
    ticks
}

fn cron(expression: &str, zone: &str, from: &str, expected: &[&str]) {
    let rule = Schedule::cron(expression, zone).unwrap_or_else(|it| panic!("{expression}: {it}"));
    assert_eq!(ticks(&rule, from, expected.len()), expected, "{expression} in {zone} from {from}");
    let again = Schedule::from_rule(rule.as_str(), rule.time_zone()).unwrap();
    assert_eq!(ticks(&again, from, expected.len()), expected, "{expression}, read again");
}

fn utc(expression: &str, from: &str, expected: &[&str]) {
    cron(expression, "UTC", from, expected);
}

#[test]
fn five_fields() {
    let from = "2026-01-01T00:00:00Z";
    utc("* * * * *", from, &["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]);
    utc("*/15 * * * *", "2026-01-01T00:14:59.5Z", &["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]);
    utc("5,10-12 3 * * *", from, &["2026-01-01T03:05:00Z", "2026-01-01T03:10:00Z", "2026-01-01T03:11:00Z"]);
    utc("0 0-23/6 * * *", from, &["2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z"]);
    utc("0 3 * * *", "2026-01-01T03:00:00Z", &["2026-01-02T03:00:00Z"]);
    utc("0 0 1 * *", "2026-01-15T00:00:00Z", &["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]);
    utc("30 4 1 jan,JUL *", "2026-02-01T00:00:00Z", &["2026-07-01T04:30:00Z", "2027-01-01T04:30:00Z"]);
    utc("  0   12  *  *  * ", from, &["2026-01-01T12:00:00Z"]);
}

#[test]
fn days_that_few_months_have() {
    utc("0 0 31 * *", "2026-02-01T00:00:00Z", &["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]);
    utc("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    let never = Schedule::cron("0 0 31 2 *", "UTC");
    let next = never.ok().and_then(|it| it.next_after(Timestamp::parse("2026-01-01T00:00:00Z").unwrap()));
    assert_eq!(next, None);
}

#[test]
fn a_wrong_rule_and_a_wrong_time_zone_are_told_together() {
    let told = Schedule::cron("61 3 * * *", "Europe/Brelin").unwrap_err().to_string();
    assert!(told.contains("`61 3 * * *` cannot be read"), "{told}");
    assert!(told.contains("`Europe/Brelin` is no time zone"), "{told}");
    let told = Schedule::cron("3 * * *", "UTC").unwrap_err().to_string();
    assert!(told.contains("has 4 fields") && !told.contains("time zone"), "{told}");
}

#[test]
fn days_of_the_week() {
    // 2026-01-04 is a Sunday.
    let from = "2026-01-01T00:00:00Z";
    let sundays = ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"];
    for sunday in ["0", "7", "SUN", "sun"] {
        utc(&format!("0 0 * * {sunday}"), from, &sundays);
    }
    utc("0 0 * * 1", from, &["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"]);
    utc("0 0 * * 6", from, &["2026-01-03T00:00:00Z"]);
    utc("0 0 * * 1-5", "2026-01-02T00:00:00Z", &["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"]);
    utc("0 0 * * 6-7", from, &["2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-10T00:00:00Z"]);
    utc("0 0 * * 0-7", from, &["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"]);
    utc("0 0 * * FRI-MON", "2026-01-05T00:00:00Z", &["2026-01-09T00:00:00Z", "2026-01-10T00:00:00Z"]);
    utc("0 0 * * 1-5/2", from, &["2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z"]);
    utc("0 0 * * */3", from, &["2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-07T00:00:00Z"]);
    utc("0 0 * * 3/2", from, &["2026-01-02T00:00:00Z", "2026-01-07T00:00:00Z", "2026-01-09T00:00:00Z"]);
    utc("0 0 * * 2,SAT", from, &["2026-01-03T00:00:00Z", "2026-01-06T00:00:00Z"]);
}

#[test]
fn both_day_fields_mean_either() {
    // Unix cron: the 13th, and every Friday.
    let expected = ["2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"];
    utc("0 0 13 * 5", "2026-01-01T00:00:00Z", &expected);
    // Friday the 13th is one tick.
    utc("0 0 13 * 5", "2026-02-12T00:00:00Z", &["2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"]);
    utc("0 0 13 * ?", "2026-01-01T00:00:00Z", &["2026-01-13T00:00:00Z", "2026-02-13T00:00:00Z"]);
    utc("0 0 ? * 5", "2026-01-01T00:00:00Z", &["2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"]);
}

#[test]
fn time_zones() {
    cron("0 9 * * *", "America/New_York", "2026-01-01T00:00:00Z", &["2026-01-01T14:00:00Z", "2026-01-02T14:00:00Z"]);
    cron("0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", &["2026-01-01T18:15:00Z"]);
    // The same hour of the wall clock before and after the change.
    let around = ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"];
    cron("0 9 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", &around);
}

#[test]
fn the_hour_that_is_skipped() {
    // On 2026-03-29 the clocks of Berlin go from 02:00 to 03:00: what happens once a day happens, later.
    let daily = ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"];
    cron("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", &daily);
    cron("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:00Z", &daily[1..]);
    cron("30 2 * * *", "Europe/Berlin", "2026-03-29T01:29:59Z", &daily[1..]);
    cron("30 2 * * *", "Europe/Berlin", "2026-03-29T01:30:00Z", &daily[2..]);
    // One that is moved to where another one is, is that one; and one that is not moved may come before.
    let several = ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"];
    cron("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &several[1..]);
    // What follows the clock is not moved.
    let half_hours = ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"];
    cron("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &half_hours);
    cron("*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", &["2026-03-30T00:00:00Z", "2026-03-30T00:20:00Z"]);
}

#[test]
fn the_hour_that_is_repeated() {
    // On 2026-10-25 the clocks of Berlin go from 03:00 back to 02:00: what happens once a day happens once.
    let daily = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    cron("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", &daily);
    cron("30 2 * * *", "Europe/Berlin", "2026-10-25T00:29:59Z", &daily[1..]);
    for from in ["2026-10-25T00:30:00Z", "2026-10-25T00:40:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:40:00Z"] {
        cron("30 2 * * *", "Europe/Berlin", from, &daily[2..]);
    }
    // What follows the clock ticks in both hours.
    let half_hours = ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"];
    cron("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", &half_hours);
    cron("*/30 2 * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", &half_hours);
    cron("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10:00Z", &half_hours[1..]);
    cron("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:40:00Z", &half_hours[2..]);
    cron("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", &["2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"]);
    cron("0 9 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", &["2026-10-25T08:00:00Z"]);
}

#[test]
fn the_same_ticks_from_whichever_instant_they_are_asked() {
    for expression in ["30 2 * * *", "0,30 2,3 * * *", "*/30 * * * *", "15 1-3 * * *", "* 2 * * *"] {
        let rule = Schedule::cron(expression, "Europe/Berlin").unwrap();
        for day in ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"] {
            let start = Timestamp::parse(day).unwrap();
            let all = ticks(&rule, day, 1_000);
            for minutes in 0..12 * 60 {
                let from = start.after(secs(60 * minutes));
                let next = rule.next_after(from).unwrap().to_string();
                let expected = all.iter().find(|it| Timestamp::parse(it).unwrap() > from);
                assert_eq!(Some(&next), expected, "{expression} from {from}");
            }
        }
    }
}

#[test]
fn again_and_again() {
    let rule = Schedule::every(secs(90)).unwrap();
    let expected = ["2026-01-01T00:01:30Z", "2026-01-01T00:03:00Z", "2026-01-01T00:04:30Z"];
    assert_eq!(ticks(&rule, "2026-01-01T00:00:00Z", 3), expected);
    assert_eq!(
        ticks(&rule, "2026-01-01T00:00:00.000001Z", 1),
        expected[..1],
        "at whole multiples, whenever it is asked"
    );
    let again = Schedule::from_rule(rule.as_str(), None).unwrap();
    assert_eq!(ticks(&again, "2026-01-01T00:00:00Z", 3), expected);
    assert_eq!((rule.as_str(), rule.time_zone()), ("every 90s", None));
    assert_eq!(Schedule::every(secs(300)).unwrap().as_str(), "every 5m");
    let odd = Schedule::every(millis(1_500)).unwrap();
    assert_eq!(ticks(&odd, "2026-01-01T00:00:00Z", 2), ["2026-01-01T00:00:01.5Z", "2026-01-01T00:00:03Z"]);
}

#[test]
fn all_that_fits_its_field_is_read() {
    for expression in ["*/59 * * * *", "5/59 * * * *", "59/59 23/23 31 12 7", "* * */31 */12 */7", "1-1 * * * *"] {
        Schedule::cron(expression, "UTC").unwrap();
    }
    let names = Schedule::cron("0 0 1 jan,MAR-May/2,12 *", "UTC").unwrap();
    let expected = ["2026-03-01", "2026-05-01", "2026-12-01", "2027-01-01"].map(|it| format!("{it}T00:00:00Z"));
    assert_eq!(ticks(&names, "2026-01-02T00:00:00Z", 4), expected);
}

#[test]
fn rules_that_cannot_be_read_say_why() {
    let refused = |expression: &str, zone: &str| match Schedule::cron(expression, zone) {
        Ok(rule) => panic!("`{expression}` is taken as {rule:?}"),
        Err(error) => error.to_string(),
    };
    for (expression, hint) in [
        ("0 3 * *", "has 4 fields"),
        ("0 0 3 * * *", "has 6 fields"),
        ("", "has 0 fields"),
        ("60 * * * *", "`60 * * * *` cannot be read: `60` in the minute is none; write 0 to 59"),
        ("0,1-77 * * * *", "`77` in the minute `0,1-77` is none; write 0 to 59"),
        ("* 24 * * *", "`24` in the hour is none; write 0 to 23"),
        ("* * 0 * *", "`0` in the day of month is none; write 1 to 31"),
        ("* * * 13 *", "`13` in the month is none; write 1 to 12 or JAN to DEC"),
        ("* * * jam *", "`jam` in the month"),
        ("+5 * * * *", "`+5` in the minute"),
        ("5, * * * *", "`` in the minute `5,`"),
        ("* 7-5 * * *", "the range `7-5` in the hour runs backwards"),
        ("* * * * 8", "0 to 7"),
        ("* * * * FUNDAY", "FUNDAY"),
        ("* * * * 1-9", "`9`"),
        ("* * * * */0", "step"),
        ("* * * * 1-5/x", "step"),
        ("*/100 * * * *", "the step of `*/100` in the minute is no whole number from 1 to 59"),
        ("*/0 * * * *", "the step of `*/0` in the minute"),
        ("a * * * *", "`a` in the minute is none"),
    ] {
        let message = refused(expression, "UTC");
        assert!(message.contains(hint), "`{expression}`: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(refused("* * * * *", "Mars/Base").contains("Europe/Berlin"), "it shows what a zone looks like");
    assert!(Schedule::every(millis(999)).unwrap_err().to_string().contains("at least 1s"));
    assert!(Schedule::from_rule("every 5x", None).is_err());
    assert!(Schedule::from_rule("every 0ms", None).is_err());
    assert!(Schedule::every(std::time::Duration::MAX).unwrap_err().to_string().contains("at most 36500d"));
}
