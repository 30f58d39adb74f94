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
    /// The one side of the cases to run, with nothing compared: for a profiler.
    pub solo: Option<String>,
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

    /// Those of this process, where each measurement is taken so often unless the command line says otherwise: where one takes
    /// long.
    ///
    /// # Panics
    /// An argument cannot be read; the message says which.
    #[must_use]
    pub fn from_env_of(rounds: usize) -> Self {
        let given = std::env::args().any(|it| it.starts_with("--rounds="));
        let all = Self::from_env();
        if given { all } else { Self { rounds, ..all } }
    }

    /// Words select the cases whose name holds one of them; without any, all run. `--rounds=n` repeats each measurement
    /// n times, `--list` names the cases, `--solo=floor` runs that side of them and compares nothing. What `cargo bench` adds (`--bench`) is skipped.
    ///
    /// # Panics
    /// An argument cannot be read; the message says which.
    #[must_use]
    pub fn parse(arguments: impl Iterator<Item = String>) -> Self {
        let mut all = Self { filters: Vec::new(), rounds: Self::ROUNDS, list: false, solo: None };
        for argument in arguments {
            match argument.split_once('=').unwrap_or((argument.as_str(), "")) {
                ("--bench", "") => {}
                ("--list", "") => all.list = true,
                ("--rounds", number) => match number.parse() {
                    Ok(rounds @ 5..) => all.rounds = rounds,
                    _ => panic!("`--rounds` takes a number, 5 or more, as in `--rounds=9`"),
                },
                ("--solo", side) if !side.is_empty() => all.solo = Some(side.to_owned()),
                (flag, _) if flag.starts_with('-') => {
                    panic!("unknown flag `{flag}`: there are `--rounds=n`, `--list` and `--solo=side`")
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
