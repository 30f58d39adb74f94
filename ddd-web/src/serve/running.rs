//! A server from its first connection to its end.

use std::{
    fmt,
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use ddd_core::{App, ShutdownReport};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    connection::{self, Protocol},
    connections::Connections,
    exchange::Site,
    signals::Signals,
};
use crate::{drain::Drain, problem::codes::TOO_MANY_CONNECTIONS};

/// When and how a server ends.
pub(super) struct Ending {
    pub(super) told: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pub(super) delay: Duration,
    pub(super) within: Duration,
}

impl Default for Ending {
    fn default() -> Self {
        Self { told: None, delay: Duration::ZERO, within: Duration::from_secs(30) }
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("delay", &self.delay).field("within", &self.within).finish_non_exhaustive()
    }
}

/// A server that listens: connections wait until it runs.
#[must_use = "connections wait until it runs"]
pub struct Listening {
    pub(super) app: App,
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) site: Arc<Site>,
    pub(super) protocol: Arc<Protocol>,
    pub(super) connections: Arc<Connections>,
    pub(super) ending: Ending,
    pub(super) signals: Option<Signals>,
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
    pub async fn run(mut self) -> ShutdownReport {
        let drain = self.site.drain.clone();
        let _cut = CutAtEnd(drain.clone());
        let mut told = Told { future: self.ending.told.take(), signals: self.signals.take() };
        tokio::select! {
            () = self.accept() => {}
            () = told.next() => {}
        }
        let deadline = Instant::now().checked_add(self.ending.within);
        let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600 * 24 * 365));
        tracing::info!(connections = self.connections.open(), "shutting down");
        drain.begin();
        tokio::select! {
            report = self.end(deadline) => report,
            () = told.again() => {
                tracing::warn!("told to end a second time; ending at once");
                ShutdownReport::default()
            }
        }
    }

    async fn end(self, deadline: Instant) -> ShutdownReport {
        let began = Instant::now();
        let delayed = began.checked_add(self.ending.delay).map_or(deadline, |it| it.min(deadline));
        tokio::select! {
            () = self.accept() => {}
            () = sleep_until(delayed) => {}
        }
        let Self { app, listener, site, protocol, connections, .. } = self;
        // Those that wait to be accepted may have sent their request already.
        while let Some(Ok((stream, address))) = accept_now(&listener).await {
            welcome(stream, address, &site, &protocol, &connections);
        }
        drop(listener);
        site.drain.end_streams();
        let half = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
        let _ = timeout_at(half, connections.all_closed()).await;
        let mut shutdown = pin!(app.shutdown(deadline.saturating_duration_since(Instant::now())));
        let mut report = None;
        {
            let mut closed = pin!(timeout_at(deadline, connections.all_closed()));
            let mut is_closed = false;
            poll_fn(|cx| {
                if report.is_none()
                    && let Poll::Ready(ready) = shutdown.as_mut().poll(cx)
                {
                    report = Some(ready);
                }
                is_closed |= closed.as_mut().poll(cx).is_ready();
                if is_closed && report.is_some() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        site.drain.cut();
        if connections.open() > 0 {
            tracing::warn!(connections = connections.open(), "cut at the deadline");
        }
        report.unwrap_or_default()
    }

    /// Takes connections, for ever.
    async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => welcome(stream, address, &self.site, &self.protocol, &self.connections),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Too many open files, most likely: some will be closed soon.
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection can be taken");
                    sleep(Duration::from_millis(100)).await;
                }
            }
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

/// Serves a connection in a task of its own, if there is room.
fn welcome(
    stream: TcpStream,
    address: SocketAddr,
    site: &Arc<Site>,
    protocol: &Arc<Protocol>,
    connections: &Arc<Connections>,
) {
    match connections.admit() {
        Some(place) => {
            drop(tokio::spawn(connection::serve(stream, address, place, site.clone(), protocol.clone())));
        }
        None => refuse(&stream),
    }
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

/// What tells the server to end.
struct Told {
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    signals: Option<Signals>,
}

impl Told {
    async fn next(&mut self) {
        match (&mut self.future, &mut self.signals) {
            (Some(future), _) => future.await,
            (None, Some(signals)) => signals.next().await,
            (None, None) => pending().await,
        }
    }

    /// Signals come again; a future ends once.
    async fn again(&mut self) {
        match &mut self.signals {
            Some(signals) => signals.next().await,
            None => pending().await,
        }
    }
}
