//! Requests that are wrong in all the ways that clients find.

use fastrand::Rng;
use serde_json::json;

use crate::socket::{get, post};

const SUBMIT: &str = "/api/v1/tasks/submit";

/// A way to be wrong.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&mut Rng) -> Vec<u8>,
    /// How often, in a thousand.
    pub(crate) share: usize,
    /// Whether the client then says that no more will come; else the server would wait for the rest.
    pub(crate) ends: bool,
}

const fn shape(name: &'static str, share: usize, make: fn(&mut Rng) -> Vec<u8>) -> Shape {
    Shape { name, make, share, ends: false }
}

const fn cut(name: &'static str, share: usize, make: fn(&mut Rng) -> Vec<u8>) -> Shape {
    Shape { ends: true, ..shape(name, share, make) }
}

/// All of them; the shares make a thousand.
pub(crate) const SHAPES: &[Shape] = &[
    shape("truncated JSON", 80, |rng| {
        let body = valid();
        post(SUBMIT, "", &body[..rng.usize(..body.len())])
    }),
    cut("a body that does not come", 40, |rng| {
        let body = valid();
        let request = post(SUBMIT, "", &body);
        request[..request.len() - rng.usize(1..=body.len())].to_vec()
    }),
    shape("wrong types", 120, |rng| {
        let wrong = wrong_value(rng);
        let field = *rng.choice(FIELDS).unwrap();
        let body = format!(r#"{{"task_name":"my_custom_task","params":{{"input":"x"}},"{field}":{wrong}}}"#);
        let body = if field == "task_name" { format!(r#"{{"task_name":{wrong}}}"#) } else { body };
        post(SUBMIT, "", body.as_bytes())
    }),
    shape("wrong parameters", 80, |rng| {
        let wrong = wrong_value(rng);
        match rng.u8(..3) {
            0 => post("/api/v1/tasks/submit/my_custom_task", "", format!(r#"{{"input":{wrong}}}"#).as_bytes()),
            1 => post("/api/v1/tasks/submit/sleep", "", format!(r#"{{"ms":{wrong},"more":1}}"#).as_bytes()),
            _ => post(SUBMIT, "", format!(r#"{{"task_name":"count_to","params":{wrong}}}"#).as_bytes()),
        }
    }),
    shape("nesting", 60, |rng| {
        let depth = rng.usize(33..20_000);
        let (open, close) = if rng.bool() { ("[", "]") } else { (r#"{"a":"#, "}") };
        let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        post(SUBMIT, "", format!(r#"{{"task_name":"echo","params":{{"value":{value}}}}}"#).as_bytes())
    }),
    shape("numbers out of range", 60, |rng| {
        let number =
            rng.choice(["1e999", "-1e999", "1e400", "99999999999999999999999", "0.1e-9999999", "-0", "1e"]).unwrap();
        let field = rng.choice(["priority", "timeout", "max_retries", "delay"]).unwrap();
        let body = format!(r#"{{"task_name":"sleep","params":{{"ms":{number}}},"{field}":{number}}}"#);
        post(SUBMIT, "", body.as_bytes())
    }),
    shape("duplicate keys", 40, |rng| {
        let body = match rng.u8(..3) {
            0 => r#"{"task_name":"echo","task_name":"echo","params":{"value":1}}"#,
            1 => r#"{"task_name":"echo","params":{"value":1,"value":2}}"#,
            _ => r#"{"task_name":"echo","params":{"value":{"a":1,"a":2}}}"#,
        };
        post(SUBMIT, "", body.as_bytes())
    }),
    shape("lone surrogates", 40, |rng| {
        let text = rng.choice([r"\ud800", r"\udfff\ud800", r"a\uDBFF", r"\u12", r"\x"]).unwrap();
        post(SUBMIT, "", format!(r#"{{"task_name":"my_custom_task","params":{{"input":"{text}"}}}}"#).as_bytes())
    }),
    shape("no UTF-8", 40, |rng| {
        let mut body = valid();
        let at = rng.usize(..body.len());
        body[at] = rng.u8(0x80..);
        post(SUBMIT, "", &body)
    }),
    shape("wrong content type", 40, |rng| {
        let kind =
            rng.choice(["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonp", ""]);
        let request = String::from_utf8(post(SUBMIT, "", &valid())).unwrap();
        request.replacen("content-type: application/json", &format!("content-type: {}", kind.unwrap()), 1).into_bytes()
    }),
    shape("compressed bombs", 40, |rng| {
        let encoding = rng.choice(["gzip", "deflate", "br", "gzip, gzip", "zstd", "x"]).unwrap();
        let bomb: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(1_000).collect();
        post(SUBMIT, &format!("content-encoding: {encoding}\r\n"), &bomb)
    }),
    shape("8 MB bodies", 10, |rng| {
        let text = "x".repeat(8 << 20);
        let body = format!(r#"{{"task_name":"my_custom_task","params":{{"input":"{text}"}}}}"#);
        if rng.bool() { post(SUBMIT, "", body.as_bytes()) } else { chunked(&[body.as_bytes()]) }
    }),
    shape("bodies over the limit", 30, |rng| {
        let text = "y".repeat(rng.usize(65_536..200_000));
        post(SUBMIT, "", format!(r#"{{"task_name":"my_custom_task","params":{{"input":"{text}"}}}}"#).as_bytes())
    }),
    shape("10,000 headers", 20, |rng| {
        let value = "v".repeat(rng.usize(..20));
        let head: String = (0..10_000).map(|it| format!("x-{it}: {value}\r\n")).collect();
        post(SUBMIT, &head, &valid())
    }),
    shape("long lines", 30, |rng| {
        let long = "z".repeat(rng.usize(5_000..100_000));
        if rng.bool() {
            get(&format!("/api/v1/tasks/{long}"))
        } else {
            post(SUBMIT, &format!("x: {long}\r\n"), &valid())
        }
    }),
    cut("chunked lies", 60, |rng| {
        let mut request = chunked(&[&valid()]);
        match rng.u8(..5) {
            0 => {
                let _ = request.split_off(request.len() - rng.usize(3..12));
            }
            1 => request = String::from_utf8(request).unwrap().replacen("\r\n\r\n", "\r\n\r\nzz", 1).into_bytes(),
            2 => {
                request =
                    String::from_utf8(request).unwrap().replacen("host", "content-length: 3\r\nhost", 1).into_bytes();
            }
            3 => {
                request =
                    String::from_utf8(request).unwrap().replacen("\r\n\r\n", "\r\n\r\nfffffffffffffffff", 1).into();
            }
            _ => request = String::from_utf8(request).unwrap().replacen("chunked", "chunked, gzip", 1).into_bytes(),
        }
        request
    }),
    shape("unknown fields, many", 40, |rng| {
        let fields: Vec<String> = (0..rng.usize(21..2_000)).map(|it| format!(r#""f{it}":{it}"#)).collect();
        let fields = fields.join(",");
        if rng.bool() {
            post(SUBMIT, "", format!(r#"{{"task_name":"echo","params":{{{fields}}}}}"#).as_bytes())
        } else {
            post(SUBMIT, "", format!("{{{fields}}}").as_bytes())
        }
    }),
    shape("paths and methods", 50, |rng| {
        let method = rng.choice(["GET", "PUT", "BREW", "TRACE", "OPTIONS", "PROPFIND", "DELETE", "PATCH"]).unwrap();
        let path =
            rng.choice(["", "/%ff", "/..%2f..", "/tasks/%00/result", "/tasks/x/y/z", "/queues/a/b", "/nowhere", "//"]);
        format!("{method} /api/v1{} HTTP/1.1\r\nhost: localhost\r\n\r\n", path.unwrap()).into_bytes()
    }),
    shape("ids that are none", 30, |rng| {
        let id =
            rng.choice(["0", "x", "%F0%9F%92%A5", "00000000-0000-0000-0000-00000000000g", "'--", "<script>"]).unwrap();
        let end = rng.choice(["", "/status", "/result?wait=1s", "/stream", "/"]).unwrap();
        get(&format!("/api/v1/tasks/{id}{end}"))
    }),
    shape("queries", 30, |rng| {
        let query = rng.choice([
            "limit=-1",
            "limit=x",
            "cursor=%ff",
            "status=over",
            "since=yesterday",
            "offset=1e9",
            "a=b",
            "&&&=",
            "limit=1&limit=2",
        ]);
        get(&format!("/api/v1/tasks?{}", query.unwrap()))
    }),
    shape("headers that are none", 30, |rng| {
        let head = rng.choice([
            "idempotency-key: \r\n",
            "idempotency-key: a b\r\n",
            "idempotency-key: a\r\nidempotency-key: b\r\n",
            "x\u{1}y: z\r\n",
            "no colon\r\n",
            ": nothing\r\n",
        ]);
        post(SUBMIT, head.unwrap(), b"[]")
    }),
    cut("noise", 30, |rng| {
        let length = rng.usize(1..500);
        let mut noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
        noise.extend(b"\r\n\r\n");
        noise
    }),
];

const FIELDS: &[&str] = &[
    "task_name",
    "params",
    "priority",
    "timeout",
    "max_retries",
    "task_type",
    "queue",
    "delay",
    "run_at",
    "unique_key",
    "tags",
    "unknown",
];

fn valid() -> Vec<u8> {
    json!({ "task_name": "my_custom_task", "params": { "input": "data" }, "priority": 1, "timeout": 300 })
        .to_string()
        .into_bytes()
}

/// A value that no field takes, or only some.
fn wrong_value(rng: &mut Rng) -> String {
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("x".repeat(300)),
        json!([]),
        json!([1, "a", null]),
        json!({}),
        json!({ "a": { "b": [1] } }),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("\u{0}"),
        json!("2026-13-01T00:00:00Z"),
        json!("-5m"),
        json!([[[]]]),
        json!("💥"),
    ];
    rng.choice(wrong).unwrap().to_string()
}

fn chunked(pieces: &[&[u8]]) -> Vec<u8> {
    let head = format!(
        "POST {SUBMIT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut request = head.into_bytes();
    for piece in pieces {
        request.extend(format!("{:x}\r\n", piece.len()).bytes());
        request.extend_from_slice(piece);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    request
}
