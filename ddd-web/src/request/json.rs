//! What this service asks of JSON beyond its grammar: no deep nesting, no key twice in an object, no half of a surrogate pair,
//! no number beyond all numbers. Readers disagree about each of these, so what one has checked another may read differently.

use std::borrow::Cow;

use crate::problem::{Fault, pointer};

/// How deep arrays and objects may be nested.
const DEEPEST: usize = 32;

/// Checks a text that is JSON by its grammar.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn check(json: &str) -> Result<(), Fault> {
    let mut walk = Walk::new(json);
    while walk.step()? {}
    Ok(())
}

/// The pointer of what stands where a reader stopped.
pub(crate) fn pointer_at(json: &str, error: &serde_json::Error) -> String {
    // Line and column count from 1, the latter in bytes.
    let line_start: usize = json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let end = if error.is_eof() { json.len() } else { line_start + error.column().saturating_sub(1) };
    let mut walk = Walk::new(json);
    while walk.at < end && matches!(walk.step(), Ok(true)) {}
    walk.pointer()
}

/// An array or object around the place.
enum Frame {
    /// The index of the element at hand.
    Array(usize),
    /// Where its keys begin; the last one is that of the member at hand.
    Object { first_key: usize, is_key_next: bool },
}

/// A walk over the tokens of a text.
struct Walk<'a> {
    json: &'a str,
    at: usize,
    frames: Vec<Frame>,
    /// The keys of all objects around the place, as far as they were met.
    keys: Vec<Cow<'a, str>>,
}

impl<'a> Walk<'a> {
    const fn new(json: &'a str) -> Self {
        Self { json, at: 0, frames: Vec::new(), keys: Vec::new() }
    }

    /// One token further; whether there may be another.
    fn step(&mut self) -> Result<bool, Fault> {
        let Some(&byte) = self.json.as_bytes().get(self.at) else { return Ok(false) };
        match byte {
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => return self.number(),
            b'[' => self.enter(Frame::Array(0))?,
            b'{' => self.enter(Frame::Object { first_key: self.keys.len(), is_key_next: true })?,
            b']' | b'}' => self.leave()?,
            b',' => match self.frames.last_mut() {
                Some(Frame::Array(index)) => *index += 1,
                Some(Frame::Object { is_key_next, .. }) => *is_key_next = true,
                None => {}
            },
            _ => {}
        }
        self.at += 1;
        Ok(true)
    }

    fn enter(&mut self, frame: Frame) -> Result<(), Fault> {
        if self.frames.len() == DEEPEST {
            return Err(Fault::at(self.pointer(), format!("is nested deeper than {DEEPEST} levels")));
        }
        self.frames.push(frame);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        let Some(Frame::Object { first_key, .. }) = self.frames.pop() else { return Ok(()) };
        let keys = &mut self.keys[first_key..];
        if keys.len() > 1 {
            keys.sort_unstable();
            if let Some(twice) = keys.windows(2).find(|it| it[0] == it[1]) {
                let key = twice[0].clone();
                self.keys.truncate(first_key);
                let mut place = self.pointer();
                pointer::push(&mut place, &key);
                return Err(Fault::at(place, "is there twice"));
            }
        }
        self.keys.truncate(first_key);
        Ok(())
    }

    fn string(&mut self) -> Result<bool, Fault> {
        let bytes = self.json.as_bytes();
        let start = self.at;
        let mut end = start + 1;
        let mut is_escaped = false;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    end += 2;
                }
                Some(_) => end += 1,
                // Cut short.
                None => {
                    self.at = bytes.len();
                    return Ok(false);
                }
            }
        }
        self.at = end + 1;
        let text = if is_escaped {
            match serde_json::from_str::<String>(&self.json[start..=end]) {
                Ok(text) => Cow::Owned(text),
                Err(_) => return Err(Fault::at(self.pointer(), "holds an escape that stands for no character")),
            }
        } else {
            Cow::Borrowed(&self.json[start + 1..end])
        };
        if let Some(Frame::Object { is_key_next: is_key @ true, .. }) = self.frames.last_mut() {
            *is_key = false;
            self.keys.push(text);
        }
        Ok(true)
    }

    fn number(&mut self) -> Result<bool, Fault> {
        /// No number of so many digits is too large, unless it has an exponent.
        const HARMLESS: usize = 300;
        let rest = &self.json[self.at..];
        let is_part = |it: u8| matches!(it, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|it| !is_part(it)).unwrap_or(rest.len());
        let number = &rest[..length];
        let is_suspect = length > HARMLESS || number.bytes().any(|it| matches!(it, b'e' | b'E'));
        if is_suspect && !number.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(Fault::at(self.pointer(), "is larger than any number that can be told apart"));
        }
        self.at += length;
        Ok(true)
    }

    /// The pointer of the value at hand.
    fn pointer(&self) -> String {
        let mut members = Vec::with_capacity(self.frames.len());
        // The keys of an object end where those of the next one in it begin.
        let mut end = self.keys.len();
        for frame in self.frames.iter().rev() {
            match frame {
                Frame::Array(index) => members.push(Cow::Owned(index.to_string())),
                Frame::Object { first_key, .. } => {
                    members.extend(self.keys[*first_key..end].last().map(|it| Cow::Borrowed(&**it)));
                    end = *first_key;
                }
            }
        }
        let mut place = String::new();
        members.iter().rev().for_each(|it| pointer::push(&mut place, it));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(json: &str, place: &str, detail: &str) {
        let fault = check(json).err();
        assert_eq!(fault, Some(Fault::at(place.to_owned(), detail.to_owned())), "{json}");
    }

    #[test]
    fn ordinary_json_passes() {
        for json in [
            "1",
            "\"a\"",
            "null",
            "[]",
            "{}",
            r#" { "a" : [1, 2, {"a": "b", "c": "a"}], "b": {"a": 1e3}, "c": "\ud83d\ude00", "": [[], {}] } "#,
            "[1e308, -1e-999, 12345678901234567890]",
        ] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
        assert_eq!(check(&("[".repeat(DEEPEST) + &"]".repeat(DEEPEST))), Ok(()));
    }

    #[test]
    fn a_key_that_is_there_twice_is_found_wherever_it_is() {
        refused(r#"{"a":1,"b":2,"a":3}"#, "/a", "is there twice");
        refused(r#"{"a":{"x":1,"y":[{"k":1},{"k":1,"l":2,"k":3}]}}"#, "/a/y/1/k", "is there twice");
        refused(r#"{"z":{"a":1},"\u0061":1,"a":2}"#, "/a", "is there twice");
        refused(r#"{"":1,"":2}"#, "/", "is there twice");
    }

    #[test]
    fn depth_escapes_and_numbers_are_bounded() {
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        refused(&deep, &"/0".repeat(DEEPEST), "is nested deeper than 32 levels");
        refused(r#"{"a":["x","\ud800"]}"#, "/a/1", "holds an escape that stands for no character");
        refused(r#"{"a":1e999}"#, "/a", "is larger than any number that can be told apart");
        refused(&format!("[{}]", "9".repeat(400)), "/0", "is larger than any number that can be told apart");
    }

    #[test]
    fn the_place_where_a_reader_stopped_has_a_pointer() {
        let at = |json: &str| {
            let error = serde_json::from_str::<serde_json::Value>(json).err();
            error.map(|it| pointer_at(json, &it))
        };
        assert_eq!(at(r#"{"a":{"b":[1,2,x]}}"#).as_deref(), Some("/a/b/2"));
        assert_eq!(at("{\"a\":1,\n\"b\": tru }").as_deref(), Some("/b"));
        assert_eq!(at(r#"{"a":"never ends"#).as_deref(), Some("/a"));
        assert_eq!(at("").as_deref(), Some(""));
        assert_eq!(at("[1,").as_deref(), Some("/1"));
    }
}
