//! The body of a request: whole, of a bounded size, and JSON.

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use http_body_util::{BodyExt as _, LengthLimitError};

use serde_json::value::RawValue;

use super::json;
use crate::problem::{Fault, Problem, codes};

/// Reads a body that must be JSON, at most `limit` bytes.
///
/// # Errors
/// It says that it is something else, or is encoded; it is too large; or it did not arrive.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    expect_json(headers)?;
    collect(headers, body, limit).await
}

/// The same for a body that may be left out. Only one that is there has to say what it is.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_optional(headers: &HeaderMap, body: Body, limit: usize) -> Result<Option<Bytes>, Problem> {
    let bytes = collect(headers, body, limit).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    expect_json(headers)?;
    Ok(Some(bytes))
}

async fn collect(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::of(&codes::TOO_LARGE).detail(format!("at most {limit} bytes are taken"));
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|it| it > limit as u64) {
        return Err(too_large());
    }
    // Most bodies come in one piece, which then needs no copy.
    let (mut first, mut more) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let data = match frame.map_err(|error| error.into_inner()) {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            // A bound of the application's own.
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(error) => {
                tracing::debug!(error = &*error as &dyn std::error::Error, "a body did not arrive");
                return Err(Problem::of(&codes::BROKEN_BODY));
            }
        };
        if first.len().max(more.len()) + data.len() > limit {
            return Err(too_large());
        }
        if first.is_empty() {
            first = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { first } else { more.into() })
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get_all(CONTENT_ENCODING).iter().any(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::of(&codes::UNSUPPORTED_ENCODING)
            .detail("send it as it is, without `Content-Encoding`")
            .fault(Fault::in_header("content-encoding", "is not taken")));
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (first, more) = (types.next(), types.next());
    if more.is_none() && first.is_some_and(|it| is_json(it.as_bytes())) {
        return Ok(());
    }
    let wrong = if first.is_some() { "is not `application/json`" } else { "is missing" };
    Err(Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE)
        .detail("send it with `Content-Type: application/json`")
        .fault(Fault::in_header("content-type", wrong)))
}

fn is_json(media_type: &[u8]) -> bool {
    let essence = media_type.split(|it| *it == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The text of a body.
///
/// # Errors
/// It is not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes)
        .map_err(|error| invalid(Fault::at("", format!("is not UTF-8 from byte {} on", error.valid_up_to()))))
}

/// The JSON value that a body is.
///
/// # Errors
/// It is none.
pub(crate) fn value(bytes: &[u8]) -> Result<&RawValue, Problem> {
    let text = text(bytes)?;
    let value = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    json::check(text).map_err(invalid)?;
    Ok(value)
}

/// A text is no JSON, or none that is taken.
pub(crate) fn invalid(fault: Fault) -> Problem {
    Problem::of(&codes::INVALID_JSON).detail("the body cannot be read as JSON").fault(fault)
}

/// What a reader of JSON found.
pub(crate) fn unreadable(text: &str, error: &serde_json::Error) -> Problem {
    let message =
        if text.trim().is_empty() { "is empty; write an object, such as `{}`".to_owned() } else { error.to_string() };
    invalid(Fault::at(json::pointer_at(text, error), message))
}
