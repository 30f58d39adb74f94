use serde::de::DeserializeOwned;

use super::{
    misfit::Misfit,
    reader::{Found, Reader},
    secret::counted,
    stand_ins::Rest,
    unread::Unread,
};
use crate::domain::{ConfigurationProblem, Node};

/// A part of a configuration as a type of the program, and the paths of the secrets in it.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) secrets: Vec<Vec<String>>,
}

/// A part of a configuration that does not fit.
#[derive(Debug)]
pub(super) struct Unfit<T> {
    /// Everything that does not.
    pub(super) problems: Vec<ConfigurationProblem>,
    /// What fits, with something made up where a setting must be and is not: good for nothing but to look for more that is wrong.
    pub(super) rest: Option<T>,
}

/// How many problems of one section are told.
const MOST: usize = 100;

/// Reads `node`, which is the section `section`; empty for the root. What is missing in a section that is
/// `unread` is not told.
///
/// # Errors
/// Everything that does not fit. Serde stops at the first misfit, so what does not fit is taken away, what is missing is made up,
/// and the rest is read again, until nothing new is found.
pub(super) fn read<T: DeserializeOwned>(node: &Node, section: &str, unread: &Unread) -> Result<Read<T>, Unfit<T>> {
    let mut rest = Rest::new(node.clone());
    let mut problems = Vec::new();
    loop {
        let found = Found::default();
        let (value, secrets) = counted(|| T::deserialize(Reader::new(rest.node(), &found)));
        let misfit: Misfit = match value {
            Ok(value) if rest.is_as_written() => return Ok(Read { value, secrets: found.into_secrets(secrets) }),
            Ok(value) => return Err(Unfit { problems, rest: Some(value) }),
            Err(misfit) => misfit,
        };
        let first = if section.is_empty() { misfit.path.first().map_or("", String::as_str) } else { section };
        let is_told = rest.made(&misfit) || misfit.is_missing && unread.has(first);
        let goes_on = rest.mend(&misfit);
        if !is_told {
            problems.push(misfit.problem(section));
        }
        if !goes_on || problems.len() >= MOST {
            return Err(Unfit { problems, rest: None });
        }
    }
}
