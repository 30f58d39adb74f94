//! What may stand in the fields of a cron expression, so that a mistake is told by the field that it is in.

use std::ops::RangeInclusive;

/// A field of a cron expression.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    /// The names of its values, from its first on.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Field = Field { name: "minute", range: 0..=59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", range: 0..=23, names: &[] };
pub(super) const DAY: Field = Field { name: "day of month", range: 1..=31, names: &[] };
pub(super) const MONTH: Field = Field {
    name: "month",
    range: 1..=12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};

impl Field {
    /// Whether `text` may stand in the field: a list of values and ranges, each with a step if wanted.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        text.split(',').try_for_each(|item| self.check_item(item, text))
    }

    fn check_item(&self, item: &str, text: &str) -> Result<(), String> {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let most = self.range.end();
        if let Some(step) = step
            && step.parse::<u32>().ok().is_none_or(|it| it == 0 || it > *most)
        {
            return Err(format!("the step of `{item}` in the {} is no whole number from 1 to {most}", self.name));
        }
        if range == "*" {
            return Ok(());
        }
        let Some((first, last)) = range.split_once('-') else { return self.value(range, text).map(drop) };
        if self.value(first, text)? > self.value(last, text)? {
            return Err(format!("the range `{range}` in the {} runs backwards", self.name));
        }
        Ok(())
    }

    fn value(&self, value: &str, text: &str) -> Result<u32, String> {
        let (first, last) = (self.range.start(), self.range.end());
        let named = (*first..).zip(self.names).find(|it| it.1.eq_ignore_ascii_case(value)).map(|it| it.0);
        // Digits alone: a sign is none.
        let number = || {
            value.parse().ok().filter(|it| value.starts_with(|it: char| it.is_ascii_digit()) && self.range.contains(it))
        };
        named.or_else(number).ok_or_else(|| {
            let names = match self.names {
                [first, .., last] => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            let whole = if value == text { String::new() } else { format!(" `{text}`") };
            format!("`{value}` in the {}{whole} is none; write {first} to {last}{names}", self.name)
        })
    }
}
