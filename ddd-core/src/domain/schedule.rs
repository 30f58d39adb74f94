//! When a task runs by itself.

use std::{str::FromStr, time::Duration};

use jiff::{
    SignedDuration,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::{
    ScheduleOption, Timestamp,
    cron_fields::{DAY, HOUR, MINUTE, MONTH},
    duration::{IntoDuration as _, LONGEST, written},
};

/// A rule for ticks: when a task runs by itself.
#[derive(Clone, Debug)]
pub struct Schedule {
    rule: Rule,
    text: String,
    time_zone: Option<String>,
}

#[derive(Clone, Debug)]
enum Rule {
    /// A tick is due when any of the expressions matches: two if both day fields are restricted, as in Unix cron.
    Cron(Cron),
    Every(Duration),
}

#[derive(Clone, Debug)]
struct Cron {
    any_of: Vec<jiff_cron::Schedule>,
    zone: TimeZone,
    /// Whether it follows the clock's hours or minutes one by one, and not a time of the day.
    is_repeating: bool,
}

impl Schedule {
    /// A cron expression of five fields (minute, hour, day of month, month, day of week) in a time zone.
    ///
    /// The fields are those of Unix cron: `*`, lists, ranges, steps, names of months and days; Sunday is 0 or 7; and if
    /// both day fields are restricted, a day that matches either counts.
    ///
    /// Where the clock jumps ahead, a tick inside the gap is late by as much as the clock jumps; where the clock is set back,
    /// a tick in the repeated hour occurs in the first: so what is to happen once a day does. Rules whose minute or hour
    /// begins with `*` follow the clock instead: none of their ticks are moved, and they tick in both hours.
    ///
    /// # Errors
    /// The expression or the time zone cannot be read; the message says which field and why.
    pub fn cron(expression: &str, time_zone: &str) -> Result<Self, ScheduleError> {
        let zone = TimeZone::get(time_zone).map_err(|_| {
            ScheduleError(format!("`{time_zone}` is no time zone; write an IANA name such as `Europe/Berlin` or `UTC`"))
        });
        // Of both, so that mending one does not bring up the other.
        let any_of = forms(expression);
        let (zone, any_of) = match (zone, any_of) {
            (Ok(zone), Ok(any_of)) => (zone, any_of),
            (Err(zone), Err(rule)) => return Err(ScheduleError(format!("{rule}; and {zone}"))),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        let is_repeating = expression.split_whitespace().take(2).any(|it| it.starts_with('*'));
        let schedule = Self {
            rule: Rule::Cron(Cron { any_of, zone, is_repeating }),
            text: expression.to_owned(),
            time_zone: Some(time_zone.to_owned()),
        };
        // Any day that exists comes within the leap years after this one.
        if schedule.next_after(Timestamp::from_micros(946_684_800_000_000)).is_none() {
            return Err(ScheduleError(format!("`{expression}` never occurs: no month that it names has such a day")));
        }
        Ok(schedule)
    }

    /// Again and again, `period` apart: at whole multiples of it since 1970-01-01T00:00:00Z, so that every process
    /// computes the same ticks.
    ///
    /// # Errors
    /// The period is shorter than one second, or longer than 100 years.
    pub fn every(period: Duration) -> Result<Self, ScheduleError> {
        if period < Duration::from_secs(1) {
            return Err(ScheduleError(format!("a period of {period:?} is too short; write at least 1s")));
        }
        if period > LONGEST {
            return Err(ScheduleError(format!("a period of {period:?} is too long; write at most 36500d")));
        }
        Ok(Self { rule: Rule::Every(period), text: format!("every {}", written(period)), time_zone: None })
    }

    /// The rule that an attribute wrote.
    ///
    /// # Errors
    /// As [`Schedule::cron`] and [`Schedule::every`].
    pub fn from_option(option: ScheduleOption) -> Result<Self, ScheduleError> {
        match option {
            ScheduleOption::Cron { expression, time_zone } => Self::cron(expression, time_zone),
            ScheduleOption::Every(period) => Self::every(period),
        }
    }

    /// The rule of this text, as [`Schedule::as_str`] and [`Schedule::time_zone`] yielded it.
    ///
    /// # Errors
    /// The text is no rule.
    pub fn from_rule(text: &str, time_zone: Option<&str>) -> Result<Self, ScheduleError> {
        match text.strip_prefix("every ") {
            Some(period) => {
                let period = period.into_duration().map_err(|_| ScheduleError(format!("`{text}` is no period")))?;
                Self::every(period)
            }
            None => Self::cron(text, time_zone.unwrap_or("UTC")),
        }
    }

    /// The time zone, if the rule has one.
    #[must_use]
    pub fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }

    /// The first tick after `at`; `None` if there is none before the year 2100.
    #[must_use]
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.rule {
            Rule::Cron(cron) => {
                let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
                let next = cron.any_of.iter().filter_map(|it| cron.next_after(it, at)).min()?;
                Some(Timestamp::from_micros(next.as_microsecond()))
            }
            Rule::Every(period) => {
                let period = i64::try_from(period.as_micros()).ok()?;
                let next = at.as_micros().div_euclid(period).checked_add(1)?.checked_mul(period)?;
                Some(Timestamp::from_micros(next))
            }
        }
    }

    /// The rule as text: the cron expression, or `every` and a period, such as `every 5m`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Cron {
    /// How far around a change of the clock its effects are looked for.
    const AROUND: SignedDuration = SignedDuration::from_hours(3);

    /// The first tick after `at`, whichever instant it is asked from: times of the wall clock are matched first, and placed
    /// in the zone then.
    fn next_after(&self, expression: &jiff_cron::Schedule, at: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let offset = |at: jiff::Timestamp| self.zone.to_offset(at);
        let wall = offset(at).to_datetime(at);
        let changes = offset(at.checked_sub(Self::AROUND).ok()?) != offset(at.checked_add(Self::AROUND).ok()?);
        // What comes before `at` on the wall may come after it in time.
        let from = if changes { wall.checked_sub(Self::AROUND).ok()? } else { wall };
        let mut best: Option<jiff::Timestamp> = None;
        let mut until = None;
        for tick in expression.after(from.to_zoned(TimeZone::UTC).ok()?) {
            let tick = tick.datetime();
            if until.is_some_and(|it| tick > it) {
                break;
            }
            let placed = self.zone.to_ambiguous_timestamp(tick).offset();
            let instant = |offset: Offset| offset.to_timestamp(tick).ok().filter(|it| *it > at);
            let (first, second) = match placed {
                AmbiguousOffset::Unambiguous { offset } => (instant(offset), None),
                AmbiguousOffset::Gap { .. } if self.is_repeating => (None, None),
                AmbiguousOffset::Gap { before, .. } => (instant(before), None),
                AmbiguousOffset::Fold { before, after } => {
                    (instant(before), instant(after).filter(|_| self.is_repeating))
                }
            };
            best = best.into_iter().chain(first).chain(second).min();
            if best.is_some() && matches!(placed, AmbiguousOffset::Unambiguous { .. }) {
                break;
            }
            if best.is_some() && until.is_none() {
                until = tick.checked_add(Self::AROUND).ok();
            }
        }
        best
    }
}

/// Unix cron counts days from Sunday = 0 (or 7); the parser counts from Sunday = 1: so days are handed to it by name.
fn weekdays(field: &str) -> Result<String, ScheduleError> {
    if field == "*" || field == "?" {
        return Ok("*".to_owned());
    }
    let mut days = [false; 7];
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let (first, last) = match (range.split_once('-'), step) {
            _ if range == "*" => (0, 6),
            (Some((first, last)), _) => (weekday(first, field)?, weekday(last, field)?),
            (None, Some(_)) => (weekday(range, field)? % 7, 6),
            (None, None) => (weekday(range, field)?, weekday(range, field)?),
        };
        let step = step.map_or(Ok(1), str::parse).ok().filter(|it| *it > 0).ok_or_else(|| {
            ScheduleError(format!("the step of `{item}` in the day of week is no whole number from 1 up"))
        })?;
        // A range may go over the end of the week.
        let last = if last < first { last + 7 } else { last };
        (first..=last).step_by(step).for_each(|day| days[day % 7] = true);
    }
    let names = WEEKDAYS.iter().zip(days).filter(|it| it.1).map(|it| *it.0);
    Ok(names.collect::<Vec<_>>().join(","))
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A day's number, Sunday = 0 or 7, or name, which has three letters.
fn weekday(text: &str, field: &str) -> Result<usize, ScheduleError> {
    let named = WEEKDAYS.iter().position(|it| it.eq_ignore_ascii_case(text));
    named.or_else(|| text.parse().ok().filter(|it| *it <= 7)).ok_or_else(|| {
        ScheduleError(format!("`{text}` in the day of week `{field}` is no day; write 0 to 7 or SUN to SAT"))
    })
}

/// A schedule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

/// What a cron expression says, in one form or two: a day of the month or of the week.
fn forms(expression: &str) -> Result<Vec<jiff_cron::Schedule>, ScheduleError> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(ScheduleError(format!(
            "`{expression}` has {} fields; write five: minute, hour, day of month, month, day of week, such as `0 3 * * *`",
            fields.len()
        )));
    };
    let weekday = weekdays(weekday).map_err(|it| ScheduleError(format!("`{expression}` cannot be read: {it}")))?;
    let day = if day == "?" { "*" } else { day };
    for (field, text) in [(MINUTE, minute), (HOUR, hour), (DAY, day), (MONTH, month)] {
        field.check(text).map_err(|it| ScheduleError(format!("`{expression}` cannot be read: {it}")))?;
    }
    let (any_day, any_weekday) = (day == "*", weekday == "*");
    let day_forms: &[(&str, &str)] =
        if any_day || any_weekday { &[(day, &weekday)] } else { &[(day, "*"), ("*", &weekday)] };
    day_forms
        .iter()
        .map(|(day, weekday)| {
            jiff_cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekday}"))
                // Its own words are about six fields.
                .map_err(|_| ScheduleError(format!("`{expression}` cannot be read")))
        })
        .collect()
}
