//! The fields of an event or a span, as text.

use std::{
    error::Error,
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use tracing::field::{Field, Visit};

/// The bytes of a field's text that are written; a line is to be read, not to be a copy of what a program works on.
const LONGEST: usize = 16 * 1024;

/// A value, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A number or a truth value, which is the same in JSON.
    Bare(String),
}

/// Fields in the order in which they came; of two with one name, the later.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|it| (it.0, &it.1))
    }

    /// Takes the field of this name out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|it| it.0 == name)?;
        Some(self.0.remove(at).1)
    }

    fn set(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        match self.0.iter_mut().find(|it| it.0 == name) {
            Some(before) => before.1 = value,
            None => self.0.push((name, value)),
        }
    }

    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.set(field, Value::Bare(value.to_string()));
    }

    /// What a user's own code writes; it may panic, and it may have no end.
    fn written(&mut self, field: &Field, write: impl FnOnce(&mut Bounded) -> fmt::Result) {
        let mut text = Bounded::default();
        if catch_unwind(AssertUnwindSafe(|| write(&mut text))).is_err() {
            text.0.push_str("(panicked while it was written)");
        }
        self.set(field, Value::Text(text.0));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.written(field, |it| it.write_str(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    /// As text where a reader of JSON might round it.
    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.bare(field, value),
            Err(_) => self.set(field, Value::Text(value.to_string())),
        }
    }

    /// As text where a reader of JSON might round it.
    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.bare(field, value),
            Err(_) => self.set(field, Value::Text(value.to_string())),
        }
    }

    /// JSON has no word for what is not finite.
    fn record_f64(&mut self, field: &Field, value: f64) {
        match serde_json::Number::from_f64(value) {
            Some(value) => self.bare(field, value),
            None => self.set(field, Value::Text(value.to_string())),
        }
    }

    /// With its sources, each after a colon.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.written(field, |text| {
            write!(text, "{value}")?;
            let mut source = value.source();
            // A chain that leads back to itself has no end, but the text has.
            while let Some(it) = source {
                write!(text, ": {it}")?;
                source = it.source();
            }
            Ok(())
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.written(field, |text| write!(text, "{value:?}"));
    }
}

/// A text that takes no more than it may have.
#[derive(Default)]
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|it| text.is_char_boundary(*it)).unwrap_or_default();
        self.0.push_str(&text[..end]);
        self.0.push('…');
        // Whoever writes stops here.
        Err(fmt::Error)
    }
}
