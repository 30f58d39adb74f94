//! What is logged: a level, and levels of parts of the program.

use std::{fmt, str::FromStr};

use super::similar::closest;

/// How much is logged of something; more from `Off` to `Trace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "these are all levels that there are")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// What may go wrong.
    Warn,
    /// What happens.
    Info,
    /// What developers ask.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    const ALL: [(&'static str, Self); 6] = [
        ("off", Self::Off),
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];

    /// The names of levels in other systems.
    const OTHERS: [(&'static str, Self); 3] =
        [("warning", Self::Warn), ("critical", Self::Error), ("fatal", Self::Error)];

    fn named(name: &str) -> Option<Self> {
        let all = Self::ALL.iter().chain(&Self::OTHERS);
        all.into_iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1)
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::ALL.iter().find(|it| it.1 == *self).map_or("", |it| it.0))
    }
}

/// Directives, separated by commas: a level for everything, and levels for the targets that begin with a name.
///
/// ```
/// use ddd_core::{LogLevel, LogLevels};
///
/// let levels: LogLevels = "warn,my_service=debug,my_service::noisy=off".parse().unwrap();
/// assert_eq!(levels.of("hyper::client"), LogLevel::Warn);
/// assert_eq!(levels.of("my_service::orders"), LogLevel::Debug);
/// assert_eq!(levels.of("my_service::noisy"), LogLevel::Off);
/// let error = "my_service=debgu".parse::<LogLevels>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `debug`?"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevels {
    all: LogLevel,
    /// The longest first.
    of: Vec<(String, LogLevel)>,
}

/// A directive cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{directive}` is no log directive; write {hint}")]
pub struct InvalidLogLevel {
    directive: String,
    hint: String,
}

impl LogLevels {
    /// One level for everything.
    #[must_use]
    pub const fn all(level: LogLevel) -> Self {
        Self { all: level, of: Vec::new() }
    }

    /// What is logged of a target, which is most often the path of a module. The longest name that it begins with
    /// decides.
    #[must_use]
    pub fn of(&self, target: &str) -> LogLevel {
        self.of.iter().find(|it| is_below(target, &it.0)).map_or(self.all, |it| it.1)
    }

    /// The most that is logged of anything.
    #[must_use]
    pub fn most(&self) -> LogLevel {
        self.of.iter().map(|it| it.1).fold(self.all, Ord::max)
    }
}

/// Whether `target` is the module `name` or one below it.
fn is_below(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for LogLevels {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLogLevel> {
        // Directives that name nothing are of the whole; without one, only what is named is logged.
        let mut all = None;
        let mut of: Vec<(String, LogLevel)> = Vec::new();
        for directive in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let (target, level) = match directive.split_once('=') {
                Some((target, level)) => (target.trim(), level.trim()),
                None => ("", directive),
            };
            let is_target = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"_:-.".contains(&it));
            let Some(level) = LogLevel::named(level).filter(|_| is_target(target)) else {
                return Err(invalid(directive, target, level));
            };
            if target.is_empty() {
                all = Some(level);
            } else {
                of.retain(|it| it.0 != target);
                of.push((target.to_owned(), level));
            }
        }
        if all.is_none() && of.is_empty() {
            return Err(invalid(text, "", ""));
        }
        of.sort_by_key(|it| std::cmp::Reverse(it.0.len()));
        Ok(Self { all: all.unwrap_or(LogLevel::Off), of })
    }
}

fn invalid(directive: &str, target: &str, level: &str) -> InvalidLogLevel {
    let names = LogLevel::ALL.iter().map(|it| it.0);
    let hint = match closest(&level.to_ascii_lowercase(), names) {
        Some(it) if !target.contains(['[', '{']) => format!("`{it}` for the level: did you mean `{it}`?"),
        _ => "`error`, `warn`, `info`, `debug`, `trace` or `off`, or `target=level`; several with commas between"
            .to_owned(),
    };
    InvalidLogLevel { directive: directive.to_owned(), hint }
}

impl fmt::Display for LogLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.all)?;
        self.of.iter().try_for_each(|(target, level)| write!(f, ",{target}={level}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_decides_and_names_end_where_modules_do() {
        let levels: LogLevels = " INFO , a=warn, a::b=trace,a=debug ".parse().unwrap();
        let of = |target| levels.of(target);
        assert_eq!([of("x"), of("a"), of("a::c"), of("a::b::c"), of("ab")], {
            use LogLevel::{Debug, Info, Trace};
            [Info, Debug, Debug, Trace, Info]
        });
        assert_eq!(levels.most(), LogLevel::Trace);
        assert_eq!(levels.to_string().parse::<LogLevels>(), Ok(levels));
    }

    #[test]
    fn what_is_none_says_what_to_write() {
        for (text, hint) in [("", "`error`"), ("loud", "`error`"), ("a=inof", "`info`"), ("a[b]=info", "target=level")]
        {
            let error = text.parse::<LogLevels>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn only_what_is_named_is_logged_where_nothing_is_said_of_the_rest() {
        let levels: LogLevels = "a=info".parse().unwrap();
        assert_eq!((levels.of("a"), levels.of("b")), (LogLevel::Info, LogLevel::Off));
    }
}
