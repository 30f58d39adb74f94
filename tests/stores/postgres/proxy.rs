//! A way to a server that can be cut, be slow, or swallow everything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::Notify,
};

pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Everything is taken, and nothing comes out.
    swallows: AtomicBool,
    /// So many milliseconds later whatever is sent arrives.
    delay: AtomicU64,
    /// Bytes, in both directions.
    passed: AtomicUsize,
    cut: Notify,
    /// How many connections there were.
    count: AtomicU64,
    /// So many of the first ones swallow everything for ever.
    abandoned: AtomicU64,
}

impl Proxy {
    /// To the server of `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let target = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (target, state) = (target.clone(), shared.clone());
                let number = state.count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let (near, far) = (near.into_split(), far.into_split());
                    tokio::select! {
                        () = pass(near.0, far.1, &state, number) => {}
                        () = pass(far.0, near.1, &state, number) => {}
                        () = state.cut.notified() => {}
                    }
                });
            }
        });
        Self { port, state }
    }

    /// The server's URL by this way.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// Each piece arrives so much later.
    pub(crate) fn delay(&self, by: Duration) {
        self.state.delay.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// How many bytes have passed, in both directions.
    pub(crate) fn passed(&self) -> usize {
        self.state.passed.load(Ordering::SeqCst)
    }

    /// The connections of now swallow everything from here on, as if their other end had lost power. Later ones do not.
    pub(crate) fn abandon(&self) {
        self.state.abandoned.store(self.state.count.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    pub(crate) fn swallow(&self, swallows: bool) {
        self.state.swallows.store(swallows, Ordering::SeqCst);
    }
}

async fn pass(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, state: &State, number: u64) {
    let swallows = || state.swallows.load(Ordering::SeqCst) || number < state.abandoned.load(Ordering::SeqCst);
    let mut buffer = vec![0; 16 * 1_024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if swallows() {
            std::future::pending::<()>().await;
        }
        state.passed.fetch_add(count, Ordering::SeqCst);
        let delay = state.delay.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    // A way that swallows everything does not tell of an end, either.
    if swallows() {
        std::future::pending::<()>().await;
    }
}
