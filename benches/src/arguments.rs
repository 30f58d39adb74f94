//! What to run, from the command line.

/// The arguments of a bench target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arguments {
    filters: Vec<String>,
    /// How often each measurement is taken: 5 at least, for a median.
    pub rounds: usize,
    /// Whether to name the cases instead of running them.
    pub list: bool,
}

impl Arguments {
    /// How often each measurement is taken unless the command line says otherwise.
    pub const ROUNDS: usize = 7;

    /// Those of this process.
    ///
    /// # Panics
    /// An argument cannot be read; the message says which.
    #[must_use]
    pub fn from_env() -> Self {
        Self::parse(std::env::args().skip(1))
    }

    /// Words select the cases whose name holds one of them; without any, all run. `--rounds=n` repeats each measurement
    /// n times, `--list` names the cases. What `cargo bench` adds (`--bench`) is skipped.
    ///
    /// # Panics
    /// An argument cannot be read; the message says which.
    #[must_use]
    pub fn parse(arguments: impl Iterator<Item = String>) -> Self {
        let mut all = Self { filters: Vec::new(), rounds: Self::ROUNDS, list: false };
        for argument in arguments {
            match argument.split_once('=').unwrap_or((argument.as_str(), "")) {
                ("--bench", "") => {}
                ("--list", "") => all.list = true,
                ("--rounds", number) => match number.parse() {
                    Ok(rounds @ 5..) => all.rounds = rounds,
                    _ => panic!("`--rounds` takes a number, 5 or more, as in `--rounds=9`"),
                },
                (flag, _) if flag.starts_with('-') => {
                    panic!("unknown flag `{flag}`: there are `--rounds=n` and `--list`")
                }
                _ => all.filters.push(argument),
            }
        }
        all
    }

    /// Whether the case of this name is to run.
    #[must_use]
    pub fn selects(&self, case: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|it| case.contains(it.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;

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
}
