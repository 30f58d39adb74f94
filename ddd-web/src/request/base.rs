//! Where the routes are mounted.

use std::borrow::Cow;

use axum::{
    extract::{NestedPath, RawPathParams},
    http::Extensions,
};

/// The path before the routes, such as `/api/v1`; empty if they are not nested.
///
/// `params` are those of the whole path: the application may nest the routes under a path that has some.
pub(crate) fn of<'a>(extensions: &'a Extensions, params: &RawPathParams) -> Cow<'a, str> {
    let Some(nested) = extensions.get::<NestedPath>() else { return Cow::Borrowed("") };
    let pattern = nested.as_str();
    if !pattern.contains('{') {
        return Cow::Borrowed(pattern);
    }
    let mut path = String::with_capacity(pattern.len());
    for segment in pattern.split('/').skip(1) {
        path.push('/');
        match segment.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(name) => path.push_str(&escaped(params.iter().find(|it| it.0 == name).map_or("", |it| it.1))),
            None => path.push_str(segment),
        }
    }
    Cow::Owned(path)
}

/// A segment of a path, percent-encoded where it must be.
fn escaped(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}
