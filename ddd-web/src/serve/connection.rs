//! One connection, from its first byte to its last.

use std::{future::poll_fn, net::SocketAddr, pin::pin, sync::Arc, task::Poll, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    connections::Place,
    exchange::{Exchange, Site},
    limits::Limits,
    socket::Socket,
};
use crate::drain::Phase;

/// Speaks HTTP/1.1 and HTTP/2.
pub(super) type Protocol = Builder<TokioExecutor>;

/// The smallest buffer that the protocol works with.
const SMALLEST_BUFFER: usize = 8 << 10;
/// A stream that nobody reads holds no more than this.
const WINDOW: u32 = 64 << 10;
/// So long a connection without a request may take to end when all do: its request may be on its way.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub(super) fn protocol(limits: &Limits) -> Protocol {
    let mut protocol = Builder::new(TokioExecutor::new());
    protocol.http1().max_buf_size(limits.header_bytes.max(SMALLEST_BUFFER));
    protocol
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW)
        .max_send_buf_size(WINDOW as usize);
    protocol
}

/// Serves a connection until it ends, is in the way of others, or is late.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    place: Place,
    site: Arc<Site>,
    protocol: Arc<Protocol>,
) {
    // Answers are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let pulse = place.pulse().clone();
    let io = TokioIo::new(Socket::new(stream, pulse.clone()));
    let exchange = Exchange { site: site.clone(), address, pulse: pulse.clone() };
    let mut connection = pin!(protocol.serve_connection_with_upgrades(io, exchange));
    let mut check = pin!(sleep(site.limits.header_timeout));
    let mut phases = site.drain.phases();
    let (mut is_ending, mut is_told) = (false, false);
    loop {
        tokio::select! {
            // First what came, so that a request that is there is not overlooked.
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(error, "a connection broke");
                }
                return;
            }
            () = pulse.evicted() => {
                if !pulse.is_working() || pulse.worth().is_some() {
                    tracing::debug!("a connection gave way to another");
                    return;
                }
                place.stay();
            }
            changed = phases.changed() => {
                let phase = changed.map_or(Phase::Cut, |()| *phases.borrow_and_update());
                if phase == Phase::Cut {
                    return;
                }
                if phase == Phase::Ending {
                    if pulse.is_silent() && !pulse.is_multiplexed() {
                        return;
                    }
                    is_ending = true;
                    is_told = pulse.is_working() || pulse.is_multiplexed();
                    if is_told {
                        connection.as_mut().graceful_shutdown();
                    }
                    check.as_mut().reset(Instant::now() + LAST_WORDS);
                }
            }
            // A request that was on its way has come: it is the last.
            () = poll_fn(|_| if pulse.is_working() { Poll::Ready(()) } else { Poll::Pending }), if is_ending && !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = check.as_mut() => {
                let next = match pulse.overdue(&site.limits) {
                    Ok(()) => return,
                    Err(_) if is_ending && pulse.silent_for().is_some_and(|it| it >= LAST_WORDS) => return,
                    Err(_) if is_ending => LAST_WORDS,
                    Err(next) => next,
                };
                check.as_mut().reset(Instant::now() + next.max(Duration::from_millis(1)));
            }
        }
    }
}
