use std::fmt;

/// Where a policy stands: its name, and the place of its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Site {
    /// The name by which configuration and [`policies()`](crate::policies) know it.
    pub name: &'static str,
    /// Whether its own attribute says the name; else another one of the same function does, or it is [`Site::function`].
    pub is_named: bool,
    /// The path of the function's module, and its name.
    pub function: &'static str,
    /// The file.
    pub file: &'static str,
    /// The line.
    pub line: u32,
    /// How many policies of the same function stand outside of this one.
    pub position: u32,
    /// The settings that its attribute states, by the names that they have in JSON. What it does not state,
    /// [defaults](crate::Settings::policy_defaults) may say.
    pub stated: &'static [&'static str],
}

impl Site {
    /// A policy of `function` without a name of its own.
    #[must_use]
    pub const fn new(function: &'static str, file: &'static str, line: u32, position: u32) -> Self {
        Self { name: function, is_named: false, function, file, line, position, stated: &[] }
    }

    /// With these settings stated by the attribute.
    #[must_use]
    pub const fn stating(mut self, stated: &'static [&'static str]) -> Self {
        self.stated = stated;
        self
    }

    /// With this name.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self.is_named = true;
        self
    }

    /// With the name that another attribute of the same function says.
    #[must_use]
    pub const fn called(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
