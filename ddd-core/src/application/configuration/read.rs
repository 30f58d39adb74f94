use serde::de::DeserializeOwned;

use super::{
    misfit::Misfit,
    reader::{Found, Reader},
    secret::counted,
};
use crate::domain::{ConfigurationProblem, Node};

/// A part of a configuration as a type of the program, and the paths of the secrets in it.
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) secrets: Vec<Vec<String>>,
}

/// How many problems of one section are told.
const MOST: usize = 100;

/// Reads `node`, which is the section `section`; empty for the root.
///
/// # Errors
/// Everything that does not fit. Serde stops at the first misfit, so what does not fit is taken away and the rest is read
/// again, until nothing new is found.
pub(super) fn read<T: DeserializeOwned>(node: &Node, section: &str) -> Result<Read<T>, Vec<ConfigurationProblem>> {
    let mut rest = node.clone();
    let mut problems = Vec::new();
    loop {
        let found = Found::default();
        let (value, secrets) = counted(|| T::deserialize(Reader::new(&rest, &found)));
        let misfit = match value {
            Ok(value) if problems.is_empty() => return Ok(Read { value, secrets: found.into_secrets(secrets) }),
            Ok(_) => return Err(problems),
            Err(misfit) => misfit,
        };
        let path: Vec<_> = misfit.path.iter().map(String::as_str).collect();
        let is_gone = remove(&mut rest, &path);
        if !is_consequence(&misfit, &problems, section) {
            problems.push(misfit.problem(section));
        }
        if !is_gone || problems.len() >= MOST {
            return Err(problems);
        }
    }
}

/// Takes away the innermost thing on the path that can be: an entry of a list cannot, so its list goes.
fn remove(rest: &mut Node, path: &[&str]) -> bool {
    (1..=path.len()).rev().any(|length| rest.take(&path[..length]).is_some())
}

/// Whether a setting is missing because it did not fit, and was taken away.
fn is_consequence(misfit: &Misfit, problems: &[ConfigurationProblem], section: &str) -> bool {
    let key = misfit.clone().problem(section).key;
    problems.iter().any(|it| it.key == key)
}
