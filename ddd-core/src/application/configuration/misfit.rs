use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::domain::{ConfigurationOrigin, ConfigurationProblem, closest};

/// A value that does not fit the type that it is read into: serde's error, with the place.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    /// From the root of what is read, outermost first once it is complete.
    pub(super) path: Vec<String>,
    pub(super) origin: Option<ConfigurationOrigin>,
    pub(super) message: String,
    /// Whether a setting is not there.
    pub(super) is_missing: bool,
    /// A name that would be taken, where a name does not fit.
    pub(super) choice: Option<&'static str>,
}

impl Misfit {
    /// Happened at or below `key`, which stands at `origin`. Called from the inside out, so the innermost place wins.
    pub(super) fn below(mut self, key: &str, origin: &ConfigurationOrigin) -> Self {
        self.path.insert(0, key.to_owned());
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// As a problem of the section `section`.
    pub(super) fn problem(self, section: &str) -> ConfigurationProblem {
        let key: Vec<_> = Some(section.to_owned()).filter(|it| !it.is_empty()).into_iter().chain(self.path).collect();
        ConfigurationProblem::new(self.origin, key.join("."), self.message)
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), origin: None, message: message.to_string(), is_missing: false, choice: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("{} was found where {} belongs", Found(found), plain(expected)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("{} is out of range; write {}", Found(found), plain(expected)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let misfit = Self::custom(format!("this is none of the choices; write {}", choices(expected)));
        Self { choice: expected.first().copied(), ..misfit }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = match closest(field, expected.iter().copied()) {
            Some(it) => format!("did you mean `{it}`?"),
            None if expected.is_empty() => "there are no settings here".to_owned(),
            None => format!("there are {}", choices(expected)),
        };
        Self::custom(format!("there is no such setting; {hint}"))
    }

    fn missing_field(field: &'static str) -> Self {
        let misfit = Self::custom("it is not set anywhere, and has no default");
        Self { path: vec![field.to_owned()], is_missing: true, ..misfit }
    }
}

impl std::error::Error for Misfit {}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What is expected, in the words of those who write settings.
fn plain(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    let words = match expected.as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "a truth value",
        "a string" | "string" => "a text",
        "a sequence" => "a list",
        "a map" => "a group of settings",
        it if it.starts_with("a nonzero ") => "a whole number from 1 up",
        it if it.starts_with("struct ") => "a group of settings",
        it => it,
    };
    words.to_owned()
}

fn choices(names: &[&str]) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

/// What kind of value was found, and not which: it may be a secret that stands at the wrong place.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(_) => f.write_str("a truth value"),
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => f.write_str("a number"),
            Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => f.write_str("a text"),
            Unexpected::Unit | Unexpected::Option => f.write_str("nothing"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a group of settings"),
            _ => f.write_str("something else"),
        }
    }
}
