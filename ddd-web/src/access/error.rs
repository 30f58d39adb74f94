use std::fmt;

/// Keys that cannot be taken: everything that is wrong with them.
#[derive(PartialEq, Eq)]
pub struct AccessError(pub(super) Vec<String>);

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the API keys cannot be taken")?;
        self.0.iter().try_for_each(|it| write!(f, "\n  - {it}"))
    }
}

/// As text: this is what `main` prints when it returns the error.
impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AccessError {}
