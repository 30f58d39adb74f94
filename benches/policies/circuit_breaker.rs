//! Calls through a closed circuit.

use std::{hint::black_box, sync::LazyLock};

use ddd_core::{Refused, circuit_breaker};
use recloser::{AsyncRecloser, Error, Recloser};

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[
    Group { name: "circuit_breaker/good", contenders: good },
    Group { name: "circuit_breaker/good_timed", contenders: good_timed },
    Group { name: "circuit_breaker/one_in_100_fails", contenders: some_fail },
];

/// As many calls as both remember.
const WINDOW: usize = 100;

/// Every hundredth call fails, if any does.
fn outcome(number: u64, fails: bool) -> Result<u64, Failed> {
    if fails && black_box(number) % 100 == 7 { Err(Failed::Itself) } else { Ok(number) }
}

async fn bare(number: u64) -> Result<u64, Failed> {
    outcome(number, false)
}

async fn failing(number: u64) -> Result<u64, Failed> {
    outcome(number, true)
}

#[circuit_breaker(window = 100)]
async fn ours(number: u64) -> Result<u64, Failed> {
    outcome(number, false)
}

#[circuit_breaker(window = "60s")]
async fn ours_timed(number: u64) -> Result<u64, Failed> {
    outcome(number, false)
}

#[circuit_breaker(window = 100)]
async fn ours_failing(number: u64) -> Result<u64, Failed> {
    outcome(number, true)
}

#[derive(Debug)]
pub(crate) enum Failed {
    Itself,
    #[allow(dead_code, reason = "as an error of a user's is made")]
    Refused(Refused),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::custom().error_rate(0.5).closed_len(WINDOW).half_open_len(3).build())
}

async fn peer(number: u64) -> Result<u64, Error<Failed>> {
    static RECLOSER: LazyLock<AsyncRecloser> = LazyLock::new(recloser);
    RECLOSER.call(bare(number)).await
}

async fn peer_failing(number: u64) -> Result<u64, Error<Failed>> {
    static RECLOSER: LazyLock<AsyncRecloser> = LazyLock::new(recloser);
    RECLOSER.call(failing(number)).await
}

fn good() -> Vec<Contender> {
    vec![Contender::new("ours", ours), Contender::new("bare", bare), Contender::new("recloser", peer)]
}

/// The peer counts calls; a window of time it has none.
fn good_timed() -> Vec<Contender> {
    vec![Contender::new("ours", ours_timed), Contender::new("bare", bare), Contender::new("recloser", peer)]
}

fn some_fail() -> Vec<Contender> {
    vec![
        Contender::new("ours", ours_failing),
        Contender::new("bare", failing),
        Contender::new("recloser", peer_failing),
    ]
}
