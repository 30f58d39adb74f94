//! Calls through a closed circuit.

use std::{hint::black_box, io, sync::LazyLock, time::Duration};

use ddd_core::__private::{
    Site,
    policies::{CircuitBreakerCell, CircuitBreakerSettings, Verdict},
};
use recloser::{AsyncRecloser, Error, Recloser};

use super::frame::{Contender, Group};

pub(crate) const GROUPS: &[Group] = &[
    Group { name: "circuit_breaker/good", contenders: good },
    Group { name: "circuit_breaker/good_timed", contenders: good_timed },
    Group { name: "circuit_breaker/one_in_100_fails", contenders: some_fail },
];

/// As many calls as both remember.
const WINDOW: u32 = 100;

async fn body(number: u64) -> io::Result<u64> {
    Ok(black_box(number))
}

async fn failing(number: u64) -> io::Result<u64> {
    if black_box(number) % 100 == 7 { Err(io::ErrorKind::Other.into()) } else { Ok(number) }
}

/// A function with a breaker, as the attribute makes it.
macro_rules! guarded {
    ($name:ident, $body:ident, $settings:expr) => {
        async fn $name(number: u64) -> io::Result<u64> {
            static CELL: CircuitBreakerCell =
                CircuitBreakerCell::new(Site::new(stringify!($name), file!(), line!(), 0), $settings);
            let Ok(call) = CELL.begin() else { return Err(io::ErrorKind::ConnectionRefused.into()) };
            let out = $body(number).await;
            call.end(if out.is_ok() { Verdict::Good } else { Verdict::Failed });
            out
        }
    };
}

const DEFAULTS: CircuitBreakerSettings = CircuitBreakerSettings::new().window_calls(WINDOW);

guarded!(ours, body, DEFAULTS);
guarded!(ours_timed, body, DEFAULTS.window_time(Duration::from_secs(60)));
guarded!(ours_some_fail, failing, DEFAULTS);

fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::custom().error_rate(0.5).closed_len(WINDOW as usize).half_open_len(3).build())
}

async fn peer(number: u64) -> Result<u64, Error<io::Error>> {
    static RECLOSER: LazyLock<AsyncRecloser> = LazyLock::new(recloser);
    RECLOSER.call(body(number)).await
}

async fn peer_some_fail(number: u64) -> Result<u64, Error<io::Error>> {
    static RECLOSER: LazyLock<AsyncRecloser> = LazyLock::new(recloser);
    RECLOSER.call(failing(number)).await
}

fn good() -> Vec<Contender> {
    vec![Contender::new("ours", ours), Contender::new("bare", body), Contender::new("recloser", peer)]
}

/// The peer counts calls; a window of time it has none.
fn good_timed() -> Vec<Contender> {
    vec![Contender::new("ours", ours_timed), Contender::new("bare", body), Contender::new("recloser", peer)]
}

fn some_fail() -> Vec<Contender> {
    vec![
        Contender::new("ours", ours_some_fail),
        Contender::new("bare", failing),
        Contender::new("recloser", peer_some_fail),
    ]
}
