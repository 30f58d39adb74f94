//! An event as one line: a JSON object for machines, or text for people.

use std::{fmt::Write as _, str::FromStr};

use tracing::{Level, Metadata};

use super::{
    error::TelemetryError,
    fields::{Fields, Value},
};
use crate::domain::{Timestamp, TraceContext};

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One flat JSON object a line, for machines.
    Json,
    /// Text, for people.
    #[default]
    Pretty,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" | "console" => Ok(Self::Pretty),
            other => Err(TelemetryError::Format(other.to_owned())),
        }
    }
}

/// What a line is made of.
pub(super) struct Line<'a> {
    pub(super) at: Timestamp,
    pub(super) metadata: &'a Metadata<'static>,
    pub(super) message: Option<Value>,
    /// The event's own fields, and those of the spans around it that it does not have, the innermost first.
    pub(super) fields: Vec<(&'static str, &'a Value)>,
    pub(super) trace: Option<TraceContext>,
}

/// The keys of every line. A field of one of these names is written as `field.<name>`.
const KEYS: [&str; 4] = ["timestamp", "level", "target", "message"];

impl<'a> Line<'a> {
    /// Adds the fields whose names are not there yet, less those that are only for the collector of traces.
    pub(super) fn add(&mut self, fields: &'a Fields) {
        for (name, value) in fields.iter() {
            let is_there = || self.fields.iter().any(|it| it.0 == name);
            if name == "traceparent" {
                let Value::Text(text) = value else { continue };
                self.trace = self.trace.or_else(|| TraceContext::parse(text));
            } else if !name.starts_with("otel.") && !is_there() {
                self.fields.push((name, value));
            }
        }
    }

    pub(super) fn write(&self, format: LogFormat, colours: bool, into: &mut String) {
        match format {
            LogFormat::Json => self.write_json(into),
            LogFormat::Pretty => self.write_text(colours, into),
        }
        into.push('\n');
    }

    fn ids(&self) -> impl Iterator<Item = (&'static str, String)> {
        let is_there = |name: &str| self.fields.iter().any(|it| it.0 == name);
        let ids = self.trace.map(|it| [("trace_id", it.trace_id()), ("span_id", it.span_id())]);
        ids.into_iter().flatten().filter(move |it| !is_there(it.0))
    }

    fn write_json(&self, into: &mut String) {
        // Writing to a string does not fail.
        let _ = write!(into, r#"{{"timestamp":"{:.6}","level":"{}""#, self.at, self.metadata.level());
        member(into, "", "target", &Value::Text(self.metadata.target().to_owned()));
        if let Some(message) = &self.message {
            member(into, "", "message", message);
        }
        for (name, value) in &self.fields {
            member(into, if KEYS.contains(name) { "field." } else { "" }, name, value);
        }
        self.ids().for_each(|(name, id)| member(into, "", name, &Value::Text(id)));
        into.push('}');
    }

    fn write_text(&self, colours: bool, into: &mut String) {
        let level = self.metadata.level();
        let (on, off) = if colours { (colour(level), "\u{1b}[0m") } else { ("", "") };
        // Writing to a string does not fail.
        let _ = write!(into, "{:.6} {on}{level:>5}{off} {}:", self.at, self.metadata.target());
        match &self.message {
            Some(Value::Text(text)) => {
                into.push(' ');
                plain(into, text);
            }
            Some(Value::Bare(text)) => into.extend([" ", text.as_str()]),
            None => {}
        }
        for (name, value) in &self.fields {
            pair(into, name, value);
        }
        self.ids().for_each(|(name, id)| pair(into, name, &Value::Text(id)));
    }
}

const fn colour(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

fn member(into: &mut String, prefix: &str, name: &str, value: &Value) {
    into.push(',');
    quoted(into, prefix, name);
    into.push(':');
    match value {
        Value::Text(text) => quoted(into, "", text),
        Value::Bare(text) => into.push_str(text),
    }
}

/// A JSON string.
fn quoted(into: &mut String, prefix: &str, text: &str) {
    into.push('"');
    into.push_str(prefix);
    let mut rest = text;
    while let Some(at) = rest.find(needs_escape) {
        into.push_str(&rest[..at]);
        let mut after = rest[at..].chars();
        if let Some(it) = after.next() {
            escaped(into, it);
        }
        rest = after.as_str();
    }
    into.push_str(rest);
    into.push('"');
}

/// What JSON asks for, and what some readers take for the end of a line.
const fn needs_escape(it: char) -> bool {
    matches!(it, '"' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

fn escaped(into: &mut String, it: char) {
    match it {
        '"' => into.push_str("\\\""),
        '\\' => into.push_str("\\\\"),
        '\n' => into.push_str("\\n"),
        '\r' => into.push_str("\\r"),
        '\t' => into.push_str("\\t"),
        // All of them are below U+10000.
        it => {
            let _ = write!(into, "\\u{:04x}", u32::from(it));
        }
    }
}

fn pair(into: &mut String, name: &str, value: &Value) {
    into.extend([" ", name, "="]);
    match value {
        Value::Text(text) if is_one_word(text) => into.push_str(text),
        Value::Text(text) => quoted(into, "", text),
        Value::Bare(text) => into.push_str(text),
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|it: char| it.is_whitespace() || it == '=' || needs_escape(it))
}

/// A text on one line: whoever wrote it can neither begin a line nor speak to the terminal.
fn plain(into: &mut String, text: &str) {
    for it in text.chars() {
        if needs_escape(it) && !matches!(it, '"' | '\\') { escaped(into, it) } else { into.push(it) }
    }
}
