//! The query of a request, read one parameter after the other, so that all that is wrong is told at once.

use std::borrow::Cow;

use axum::{extract::Query as Pairs, http::Uri};
use ddd_core::domain::closest;

use super::values::Read;
use crate::problem::{Fault, Problem, codes};

/// The parameters of a query that were not read yet, and the faults that were found so far.
#[derive(Debug)]
pub(crate) struct Query {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

/// So many parameters no request has.
const MOST: usize = 50;

impl Query {
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let Pairs(left) = Pairs::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::of(&codes::INVALID_QUERY).detail("the query cannot be read"))?;
        if left.len() > MOST {
            return Err(Problem::of(&codes::INVALID_QUERY).detail(format!("there are more than {MOST} parameters")));
        }
        Ok(Self { left, known: Vec::new(), faults: Vec::new() })
    }

    /// A parameter; `None` if it is not there, or does not fit: then the fault is noted.
    pub(crate) fn read<T>(&mut self, name: &'static str, read: impl FnOnce(String) -> Read<T>) -> Option<T> {
        self.known.push(name);
        let at = self.left.iter().position(|it| it.0 == name)?;
        let (_, value) = self.left.remove(at);
        match read(value) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.fault(name, detail);
                None
            }
        }
    }

    /// A whole number within a range.
    pub(crate) fn number(&mut self, name: &'static str, range: std::ops::RangeInclusive<usize>) -> Option<usize> {
        self.read(name, |text| match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(format!("is not a whole number from {} to {}", range.start(), range.end()).into()),
        })
    }

    pub(crate) fn fault(&mut self, name: &'static str, detail: impl Into<Cow<'static, str>>) {
        self.faults.push(Fault::in_query(name, detail));
    }

    /// # Errors
    /// Parameters do not fit, are there twice, or were not asked for.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.left {
            let detail = if self.known.contains(&name.as_str()) {
                "is there twice".to_owned()
            } else {
                let meant = closest(&name, self.known.iter().copied());
                format!("is not known here{}", meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())
            };
            self.faults.push(Fault::in_query(name, detail));
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        let detail = match self.faults.len() {
            1 => "1 parameter does not fit".to_owned(),
            count => format!("{count} parameters do not fit"),
        };
        Err(Problem::of(&codes::INVALID_QUERY).detail(detail).faults(self.faults))
    }
}
