//! Who tells other processes that there is work, and hears it from them. Hints: polling is the truth.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Executor as _, PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::runtime::Handle;

use super::core::{Core, Shared};
use crate::{domain::Name, infrastructure::sql::Effects};

/// A process sends no more than one notice in this time: each of them locks the whole server for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// So long after a listening connection broke it is made anew.
const RECONNECT: Duration = Duration::from_millis(500);
/// After so long without a notice the listening connection is tried.
const QUIET: Duration = Duration::from_secs(60);
/// It has to answer within this time.
const ANSWER: Duration = Duration::from_secs(5);
/// A notice has less than 8,000 bytes.
const LONGEST: usize = 7_000;

impl Core {
    /// Tells this process what a committed transaction led to, and the others which queues have work.
    pub(super) fn tell(self: &Arc<Self>, effects: &mut Effects) {
        let queues = effects.ready.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        self.told.tell(effects);
        if !queues.is_empty() {
            self.notify(queues);
        }
    }

    /// Tells other processes of queues soon; what is said meanwhile goes along.
    fn notify(self: &Arc<Self>, queues: Vec<Name>) {
        if !self.notices.are_heard {
            return;
        }
        {
            let mut waiting = self.notices.queues.lock();
            for queue in queues {
                if !waiting.contains(&queue) {
                    waiting.push(queue);
                }
            }
        }
        if !self.notices.is_sending.swap(true, Ordering::AcqRel) {
            tokio::spawn(send(Sending(self.over_main())));
        }
    }

    /// Begins to listen, if there is a runtime and nobody does.
    pub(super) fn listen(&self) {
        let mut listening = self.notices.listening.lock();
        if !self.notices.are_heard || listening.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let pool = single(&self.pool, self.timeout, false);
        *listening = Some(runtime.spawn(hear(Arc::downgrade(&self.shared), pool, self.source.clone())).abort_handle());
    }
}

/// How connections are made. What commits by itself has no time limit of its own at the server, so the connection has one: else
/// a call that was given up would go on there. A pooler may stand where notifications are off (`is_direct`), and would give a
/// connection with our limit to others.
pub(super) fn bounded(timeout: Duration, is_direct: bool) -> PgPoolOptions {
    PgPoolOptions::new().acquire_timeout(timeout).test_before_acquire(false).after_connect(move |conn, _| {
        Box::pin(async move {
            if is_direct {
                let text = format!("SET statement_timeout = {}", timeout.as_millis());
                sqlx::raw_sql(AssertSqlSafe(text)).execute(conn).await?;
            }
            Ok(())
        })
    })
}

/// A pool of one connection to the same server, with nobody to wait for.
pub(super) fn single(pool: &PgPool, timeout: Duration, is_direct: bool) -> PgPool {
    let options = (*pool.connect_options()).clone();
    bounded(timeout, is_direct).max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy_with(options)
}

/// What is told of these queues by `sender`. Those that find no place are left to polling: a longer notice would fail, and with
/// it the transaction that it is sent in.
pub(super) fn payload<'q>(sender: u64, queues: impl Iterator<Item = &'q str>) -> String {
    let mut payload = format!("{sender:x}");
    for queue in queues {
        if payload.len() + queue.len() > LONGEST {
            break;
        }
        payload.push(' ');
        payload.push_str(queue);
    }
    payload
}

/// Whoever sends; if its runtime ends under it, the next one may.
struct Sending(Arc<Core>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.notices.is_sending.store(false, Ordering::Release);
    }
}

async fn send(sending: Sending) {
    let core = &sending.0;
    loop {
        let queues = std::mem::take(&mut *core.notices.queues.lock());
        if queues.is_empty() {
            // Who came between the look and the word that nobody sends any more is not to be missed.
            core.notices.is_sending.store(false, Ordering::Release);
            let is_done = core.notices.queues.lock().is_empty();
            if is_done || core.notices.is_sending.swap(true, Ordering::AcqRel) {
                return;
            }
            continue;
        }
        let payload = payload(core.notices.sender, queues.iter().map(|it| it.as_str()));
        // Nobody is harmed if it is lost.
        let _ = core
            .try_once(&move |core: Arc<Core>, conn| {
                let payload = payload.clone();
                Box::pin(async move {
                    let text = "SELECT pg_notify($1, $2)";
                    sqlx::query(text).bind(core.texts.schema()).bind(payload).execute(conn).await?;
                    Ok(())
                })
            })
            .await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear(shared: Weak<Shared>, pool: PgPool, source: Option<PgPool>) {
    while let Some(schema) = shared.upgrade().map(|it| it.texts.schema().to_owned()) {
        if let Some(source) = &source {
            // Its password may have changed.
            pool.set_connect_options((*source.connect_options()).clone());
        }
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(&schema).await.is_ok()
        {
            nudge_all(&shared);
            while hear_one(&shared, &mut listener).await {}
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Hears a notice, or that for long there is none; whether to go on with this connection.
async fn hear_one(shared: &Weak<Shared>, listener: &mut PgListener) -> bool {
    match tokio::time::timeout(QUIET, listener.try_recv()).await {
        Ok(Ok(Some(notice))) => {
            let Some(shared) = shared.upgrade() else { return false };
            let mut words = notice.payload().split(' ');
            let own = words.next().and_then(|it| u64::from_str_radix(it, 16).ok()) == Some(shared.notices.sender);
            if !own {
                shared.told.nudge(&words.map(Name::from).collect::<Vec<_>>());
            }
            true
        }
        // It was cut, and is there again.
        Ok(Ok(None)) => {
            nudge_all(shared);
            true
        }
        Ok(Err(_)) => false,
        // A way that is gone without a word looks like one on which nobody speaks.
        Err(_) => matches!(tokio::time::timeout(ANSWER, listener.execute("SELECT 1")).await, Ok(Ok(_))),
    }
}

/// Nobody knows what was said while nobody listened.
fn nudge_all(shared: &Weak<Shared>) {
    if let Some(shared) = shared.upgrade() {
        shared.told.nudge(&shared.names.queues());
    }
}
