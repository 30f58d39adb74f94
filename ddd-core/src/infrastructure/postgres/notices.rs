//! Who tells other processes that there is work, and hears it from them. Hints: polling is the truth.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::runtime::Handle;

use super::core::{Core, Shared};
use crate::{domain::Name, infrastructure::sql::Effects};

/// A process sends no more than one notice in this time: each of them locks the whole server for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// So long after a listening connection broke it is made anew.
const RECONNECT: Duration = Duration::from_millis(500);
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
            tokio::spawn(send(Sending(self.clone())));
        }
    }

    /// Begins to listen, if there is a runtime and nobody does.
    pub(super) fn listen(&self) {
        let mut listening = self.notices.listening.lock();
        if !self.notices.are_heard || listening.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let pool = single(&self.pool, self.timeout);
        *listening = Some(runtime.spawn(hear(Arc::downgrade(&self.shared), pool)).abort_handle());
    }
}

/// A pool of one connection to the same server, with nobody to wait for.
pub(super) fn single(pool: &PgPool, timeout: Duration) -> PgPool {
    let options = (*pool.connect_options()).clone();
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options)
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
        let mut payload = format!("{:x}", core.notices.sender);
        for queue in &queues {
            if payload.len() + queue.len() > LONGEST {
                break;
            }
            payload.push(' ');
            payload.push_str(queue);
        }
        let text = "SELECT pg_notify($1, $2)";
        let notify = sqlx::query(text).bind(core.texts.schema()).bind(payload).execute(&core.pool);
        // Nobody is harmed if it is lost.
        let _ = notify.await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear(shared: Weak<Shared>, pool: PgPool) {
    while let Some(schema) = shared.upgrade().map(|it| it.texts.schema().to_owned()) {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(&schema).await.is_ok()
        {
            while let Ok(notice) = listener.recv().await {
                let Some(shared) = shared.upgrade() else { return };
                let mut words = notice.payload().split(' ');
                let own = words.next().and_then(|it| u64::from_str_radix(it, 16).ok()) == Some(shared.notices.sender);
                if !own {
                    shared.told.nudge(&words.map(Name::from).collect::<Vec<_>>());
                }
            }
        }
        tokio::time::sleep(RECONNECT).await;
    }
}
