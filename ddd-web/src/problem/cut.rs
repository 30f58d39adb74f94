//! Texts in a document of a bounded size.

use std::borrow::Cow;

/// How many bytes a character takes in JSON, at most.
const fn size_of(character: char) -> usize {
    if character < ' ' {
        6
    } else if matches!(character, '"' | '\\') {
        2
    } else {
        character.len_utf8()
    }
}

/// How many bytes a text takes in JSON, at most, without its quotes.
pub(super) fn escaped(text: &str) -> usize {
    text.chars().map(size_of).sum()
}

/// As much of the start of `text` as fits into `size` bytes of JSON, with `…` after it if that is not all.
pub(super) fn cut(text: &str, size: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    let mut left = size;
    for (at, character) in text.char_indices() {
        let Some(rest) = left.checked_sub(size_of(character)) else {
            return Cow::Owned(format!("{}{MARK}", &text[..at]));
        };
        left = rest;
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn what_is_cut_fits_as_json() {
        for text in ["short", "\u{1}\u{2}\u{3}\u{4}\u{5}", "\"\\\"\\\"\\\"\\", "äöüäöüäöü", "🦀🦀🦀🦀", ""]
        {
            for size in 0..30 {
                let cut = cut(text, size);
                let json = serde_json::to_string(&cut).unwrap().len() - 2;
                assert!(json <= size + "…".len(), "{cut:?} of {size}");
                assert!(text.starts_with(cut.trim_end_matches('…')));
                assert!(json <= escaped(&cut));
            }
            assert_eq!(cut(text, 100), text);
        }
    }
}
