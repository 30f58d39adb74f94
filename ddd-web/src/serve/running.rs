//! A server from its first connection to its end.

use std::{
    fmt,
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use ddd_core::{App, HangupWatch, ShutdownReport};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

use super::{
    connection::{self, Protocol},
    connections::Connections,
    exchange::Site,
    limits::FAR,
    signals::Signals,
};
use crate::{drain::Drain, problem::codes::TOO_MANY_CONNECTIONS};

/// How a server ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) delay: Duration,
    pub(super) within: Duration,
}

impl Default for Ending {
    fn default() -> Self {
        Self { delay: Duration::ZERO, within: Duration::from_secs(30) }
    }
}

/// What tells the server to end.
pub(super) enum Told {
    ByFuture(Pin<Box<dyn Future<Output = ()> + Send>>),
    BySignals(Signals),
}

impl Told {
    async fn next(&mut self) {
        match self {
            Self::ByFuture(future) => future.await,
            Self::BySignals(signals) => signals.next().await,
        }
    }

    /// Signals come again; a future ends once.
    async fn again(&mut self) {
        match self {
            Self::ByFuture(_) => pending().await,
            Self::BySignals(signals) => signals.next().await,
        }
    }
}

/// A server that listens: connections wait until it runs.
#[must_use = "connections wait until it runs"]
pub struct Listening {
    pub(super) app: App,
    pub(super) address: SocketAddr,
    pub(super) door: Door,
    pub(super) ending: Ending,
    pub(super) told: Told,
    /// SIGHUP reads the configuration again, if the application says so.
    pub(super) hangups: HangupWatch,
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Cuts what is open, however the server ends.
struct CutAtEnd(Drain);

impl Drop for CutAtEnd {
    fn drop(&mut self) {
        self.0.cut();
    }
}

impl Listening {
    /// Where it listens: with the port, if 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is told to end, and ends in order; see [`Server`](crate::Server). Dropped before, it cuts all
    /// connections.
    pub async fn run(self) -> ShutdownReport {
        let Self { app, door, ending, mut told, hangups: _hangups, .. } = self;
        let drain = door.site.drain.clone();
        let _cut = CutAtEnd(drain.clone());
        tokio::select! {
            () = door.accept() => {}
            () = told.next() => {}
        }
        tracing::info!(connections = door.connections.open(), "shutting down");
        drain.begin();
        tokio::select! {
            report = end(app, door, ending) => report,
            () = told.again() => {
                tracing::warn!("told to end a second time; ending at once");
                ShutdownReport::default()
            }
        }
    }
}

async fn end(app: App, door: Door, ending: Ending) -> ShutdownReport {
    let began = Instant::now();
    let after = |time: Duration| began.checked_add(time).unwrap_or_else(|| began + FAR);
    let deadline = after(ending.within);
    tokio::select! {
        () = door.accept() => {}
        () = sleep_until(after(ending.delay).min(deadline)) => {}
    }
    let (connections, drain) = (door.connections.clone(), door.site.drain.clone());
    door.close().await;
    drain.end_streams();
    let left = || deadline.saturating_duration_since(Instant::now());
    let _ = timeout(left() / 2, connections.all_closed()).await;
    let (report, _) = tokio::join!(app.shutdown(left()), timeout_at(deadline, connections.all_closed()));
    if connections.open() > 0 {
        tracing::warn!(connections = connections.open(), "cut at the deadline");
    }
    report
}

/// Where connections come in.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) site: Arc<Site>,
    pub(super) protocol: Arc<Protocol>,
    pub(super) connections: Arc<Connections>,
}

impl Door {
    /// Takes connections, for ever.
    async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => self.welcome(stream, address),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Too many open files, most likely: some will be closed soon.
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection can be taken");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Takes no more than those that wait already: they may have sent their request.
    async fn close(self) {
        while let Some(Ok((stream, address))) = accept_now(&self.listener).await {
            self.welcome(stream, address);
        }
    }

    /// Serves a connection in a task of its own, if there is room.
    fn welcome(&self, stream: TcpStream, address: SocketAddr) {
        match self.connections.admit() {
            Some(place) => {
                let (site, protocol) = (self.site.clone(), self.protocol.clone());
                drop(tokio::spawn(connection::serve(stream, address, place, site, protocol)));
            }
            None => refuse(&stream),
        }
    }
}

/// The next connection, if one waits.
async fn accept_now(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|cx| match listener.poll_accept(cx) {
        Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Says that there is no room, as far as the system takes it at once.
fn refuse(stream: &TcpStream) {
    tracing::debug!("no room for another connection");
    let code = &TOO_MANY_CONNECTIONS;
    let body = format!(
        r#"{{"type":"urn:problem-type:{0}","title":"{1}","status":503,"detail":"{1}","code":"{0}"}}"#,
        code.code, code.title
    );
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.try_write((head + &body).as_bytes());
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
