//! The peers of the benchmark `postgres`, in a process of their own. The benchmark asks for a work with a line of JSON on the
//! standard input; the answers are `ready`, for which `go` is awaited, `done` with the seconds as JSON, and `idle` when all is
//! taken down.

mod apalis_postgres;
mod awa;
mod graphile_worker;
#[path = "../../postgres/protocol.rs"]
mod protocol;
mod riverqueue;

use std::io::{self, Lines, StdinLock, Write};

use serde::Deserialize;

use self::protocol::{Watch, Work, run};

#[derive(Deserialize)]
struct Request {
    peer: String,
    work: Work,
    url: String,
}

fn main() {
    let mut bench = Bench(io::stdin().lines());
    say("idle");
    while let Some(line) = bench.0.next() {
        let Request { peer, work, url } = serde_json::from_str(&line.expect("a line")).expect("a request");
        match peer.as_str() {
            "apalis_postgres" => run::<apalis_postgres::Apalis>(work, &url, &mut bench),
            "awa" => run::<awa::Awa>(work, &url, &mut bench),
            "graphile_worker" => run::<graphile_worker::Graphile>(work, &url, &mut bench),
            "riverqueue" => run::<riverqueue::River>(work, &url, &mut bench),
            other => panic!("there is no peer `{other}`"),
        }
        say("idle");
    }
}

/// Who asked.
struct Bench(Lines<StdinLock<'static>>);

impl Watch for Bench {
    fn begin(&mut self) {
        say("ready");
        let answer = self.0.next().expect("the benchmark answers").expect("a line");
        assert_eq!(answer, "go");
    }

    fn end(&mut self, seconds: Vec<f64>) {
        say(&format!("done {}", serde_json::json!(seconds)));
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the benchmark listens");
}
