//! What may be a name: the rule that the runtime applies too.

/// The reason why `text` cannot be a name of a task or a queue, if it cannot.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let starts_well = text.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    let is_allowed = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | ':');
    if text.is_empty() {
        return Err("a name may not be empty".to_owned());
    }
    if text.len() > 100 {
        return Err("a name has at most 100 characters".to_owned());
    }
    if !starts_well {
        return Err(format!("`{text}` is no name: a name starts with a letter or `_`"));
    }
    match text.chars().find(|it| !is_allowed(it)) {
        Some(wrong) => Err(format!(
            "`{text}` is no name because of `{wrong}`: a name consists of letters, digits, `_`, `-`, `.` and `:`"
        )),
        None => Ok(()),
    }
}
