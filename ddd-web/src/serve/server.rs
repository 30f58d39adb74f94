use std::{fmt, sync::Arc, time::Duration};

use axum::Router;
use ddd_core::{App, ShutdownReport};
use tokio::net::ToSocketAddrs;

use super::{
    bind::bind,
    connection::protocol,
    connections::Connections,
    error::ServeError,
    exchange::Site,
    limits::{FAR, Limits},
    running::{Door, Ending, Listening, Told},
    signals::Signals,
};
use crate::drain::Drain;

/// A server for a router: say what differs from the defaults, then [`Server::serve`], or [`Server::bind`] to know the address
/// first.
///
/// It speaks HTTP/1.1 and HTTP/2 without TLS, which belongs to the proxy in front of it, and upgrades (WebSockets). Whatever
/// its clients do, it holds bounded memory and answers those who behave:
///
/// | bound | default | beyond it |
/// |---|---|---|
/// | connections | 1,000 | the one that has been silent longest is closed for a new one; if all work, the new one gets 503 |
/// | head of a request | 16 KiB and 100 headers, within 10 s | 431, and the connection is closed |
/// | body of a request | 16 MiB, within 30 s | 413, 408; the routes of an [`Api`](crate::Api) have smaller bounds of their own |
/// | time to an answer | 60 s | 504. It ends with the head of the answer, so streams may go on |
/// | silence between requests | 75 s | the connection is closed |
/// | a client that does not read | 30 s without taking a byte | the connection is closed |
/// | requests at a time in a connection (HTTP/2) | 100 | they wait |
///
/// Answers of 256 bytes or more are compressed by gzip for those who take it, except images and event streams. The request id,
/// or a new one where none was sent, is in the header `x-request-id` of the request that handlers see.
///
/// # The end
///
/// Told to end, it takes readiness down ([`Drain`]) and goes on for [`Server::drain_delay`], so that what balances load
/// notices. Then it takes no more connections, ends streams and long polls, and lets requests end. When they have, or when half of
/// [`Server::shutdown_timeout`] is over, the application's workers shut down as well ([`App::shutdown`]). What is left at the
/// end of that time is cut, so all is over half a second after it at the latest. Told a second time, it ends at once.
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    app: App,
    router: Router,
    limits: Limits,
    drain: Drain,
    ending: Ending,
    told: Option<Told>,
}

impl Server {
    /// A server for `router`, whose end is the end of the workers of `app`.
    pub fn new(app: &App, router: Router) -> Self {
        let (limits, drain, ending) = (Limits::default(), Drain::new(), Ending::default());
        Self { app: app.clone(), router, limits, drain, ending, told: None }
    }

    fn limit(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// At most so many connections at a time, at least 1; 1,000 unless set. Each takes a file descriptor and
    /// 20 to 30 KB.
    pub fn max_connections(self, connections: usize) -> Self {
        self.limit(|it| it.connections = connections.max(1))
    }

    /// The head of a request may have so many bytes, at least 8 KiB; 16 KiB unless set.
    pub fn max_header_bytes(self, bytes: usize) -> Self {
        self.limit(|it| it.header_bytes = bytes)
    }

    /// The head of a request must arrive within this time; 10 s unless set.
    pub fn header_timeout(self, timeout: Duration) -> Self {
        self.limit(|it| it.header_timeout = timeout.min(FAR))
    }

    /// The body of a request may have so many bytes; 16 MiB unless set. Extractors and routes have their own bounds below it.
    pub fn max_body_bytes(self, bytes: u64) -> Self {
        self.limit(|it| it.body_bytes = bytes)
    }

    /// The body of a request must arrive whole within this time from the request's head on, as far as somebody reads it; 30 s
    /// unless set.
    pub fn body_timeout(self, timeout: Duration) -> Self {
        self.limit(|it| it.body_timeout = timeout.min(FAR))
    }

    /// A request must be answered within this time; 60 s unless set. The handler is dropped at its next await. How long the
    /// answer's body then takes is not bounded, and the routes of an [`Api`](crate::Api) that may wait, wait no longer than this.
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.limit(|it| it.request_timeout = timeout.min(FAR))
    }

    /// A connection may be silent between two requests for this time; 75 s unless set.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.limit(|it| it.idle_timeout = timeout.min(FAR))
    }

    /// A client may take nothing of what it is sent for this time; 30 s unless set.
    pub fn write_timeout(self, timeout: Duration) -> Self {
        self.limit(|it| it.write_timeout = timeout.min(FAR))
    }

    /// Whether answers are compressed; they are unless set.
    pub fn compress(self, compresses: bool) -> Self {
        self.limit(|it| it.compresses = compresses)
    }

    /// Told to end, it must be done within this time; 30 s unless set.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.ending.within = timeout;
        self
    }

    /// Told to end, it goes on for this time with readiness down; not at all unless set. It counts towards
    /// [`Server::shutdown_timeout`].
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.ending.delay = delay;
        self
    }

    /// Ends when `told` does, instead of by a signal of the system.
    pub fn until(mut self, told: impl Future<Output = ()> + Send + 'static) -> Self {
        self.told = Some(Told::ByFuture(Box::pin(told)));
        self
    }

    /// With this [`Drain`] instead of one of its own: to begin its end from elsewhere, or to share it with something else.
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// Listens on an address, such as `"127.0.0.1:8000"`; port 0 takes any free one. Connections wait until
    /// [`Listening::run`].
    ///
    /// # Errors
    /// The address cannot be listened on; or other machines can reach it, and an [`Api`](crate::Api) of the application lets
    /// everybody do everything.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<Listening, ServeError> {
        let Self { app, router, limits, drain, ending, told } = self;
        let listener = bind(&app, address).await?;
        // Not before: from here on signals do nothing by themselves.
        let told = match told {
            Some(told) => told,
            None => Told::BySignals(Signals::listen().map_err(ServeError::Signals)?),
        };
        let hangups = app.watch_hangup().map_err(ServeError::Signals)?;
        let address = listener.local_addr().map_err(ServeError::Address)?;
        let connections = Arc::new(Connections::new(limits.connections));
        let protocol = Arc::new(protocol(&limits));
        let site = Arc::new(Site::new(router, limits, drain));
        tracing::info!("listening on http://{address}");
        let door = Door { listener, site, protocol, connections };
        Ok(Listening { app, address, door, ending, told, hangups })
    }

    /// Listens on an address and serves until it is told to end.
    ///
    /// # Errors
    /// As for [`Server::bind`].
    pub async fn serve(self, address: impl ToSocketAddrs) -> Result<ShutdownReport, ServeError> {
        Ok(self.bind(address).await?.run().await)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).field("ending", &self.ending).finish_non_exhaustive()
    }
}
