//! The trace that something is part of, as W3C Trace Context writes it.

use std::{fmt, str::FromStr};

/// A trace, and the place in it: what the header `traceparent` carries.
///
/// What is no trace context is ignored by those who receive it, as the specification asks: nothing fails for it.
///
/// ```
/// use ddd_core::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context: TraceContext = text.parse().unwrap();
/// assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(context.is_sampled());
/// assert_eq!(context.to_string(), text);
/// assert!("00-0-0-01".parse::<TraceContext>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

/// A text is no trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no W3C trace context: write `00-`, 32 hex digits, `-`, 16 hex digits, `-`, 2 hex digits, all in lower case")]
pub struct InvalidTraceContext;

impl TraceContext {
    /// How long the text form of version 00 is.
    const LENGTH: usize = 55;
    const SAMPLED: u8 = 1;

    /// From its parts; `None` if one of the ids is zero, which stands for none.
    #[must_use]
    pub const fn new(trace: u128, span: u64, is_sampled: bool) -> Option<Self> {
        if trace == 0 || span == 0 {
            return None;
        }
        Some(Self { trace, span, flags: is_sampled as u8 })
    }

    /// The trace's id as 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span's id as 16 hex digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }

    /// The trace's id as a number.
    #[must_use]
    pub const fn trace(&self) -> u128 {
        self.trace
    }

    /// The span's id as a number.
    #[must_use]
    pub const fn span(&self) -> u64 {
        self.span
    }

    /// Whether whoever began the trace records it.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// From a header's text. Of a later version, what version 00 knows is read, and the rest is left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(Self::LENGTH)?;
        let mut fields = known.split('-');
        let (version, trace) = (hex(fields.next()?, 2)?, hex(fields.next()?, 32)?);
        let (span, flags) = (hex(fields.next()?, 16)?, hex(fields.next()?, 2)?);
        let ends_well = rest.is_empty() || (version != 0 && rest.starts_with('-'));
        if version == 0xff || fields.next().is_some() || !ends_well {
            return None;
        }
        let context = Self::new(trace, u64::try_from(span).ok()?, false)?;
        Some(Self { flags: u8::try_from(flags).ok()?, ..context })
    }
}

/// Lower-case hex digits, exactly so many.
fn hex(field: &str, length: usize) -> Option<u128> {
    let is_hex = field.len() == length && field.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex { u128::from_str_radix(field, 16).ok() } else { None }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    fn from_str(text: &str) -> Result<Self, InvalidTraceContext> {
        Self::parse(text).ok_or(InvalidTraceContext)
    }
}

/// As version 00.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Flags that nobody knows yet are not passed on: that is what the specification asks for.
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags & Self::SAMPLED)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn what_is_a_trace_context_is_read_and_written() {
        for (text, written) in [
            (format!("00-{TRACE}-00f067aa0ba902b7-01"), "01"),
            (format!("00-{TRACE}-00f067aa0ba902b7-00"), "00"),
            (format!("00-{TRACE}-00f067aa0ba902b7-03"), "01"),
            (format!("cc-{TRACE}-00f067aa0ba902b7-01"), "01"),
            (format!("cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-will-be-like"), "01"),
        ] {
            let read: TraceContext = text.parse().unwrap_or_else(|it| panic!("{text}: {it}"));
            assert_eq!(read.to_string(), format!("00-{TRACE}-00f067aa0ba902b7-{written}"));
            assert_eq!(read.is_sampled(), written == "01");
        }
    }

    #[test]
    fn what_is_none_is_none() {
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-00f067aa0ba902b7-0é"),
            format!("00-{TRACE}-00f067aa0ba902b7-+1"),
            format!("00_{TRACE}_00f067aa0ba902b7_01"),
            format!(" 00-{TRACE}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(TraceContext::parse(&text), None, "{text}");
        }
    }
}
