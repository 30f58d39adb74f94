//! Who tells other processes that there is work, of cancellations, and of what somebody there wants to hear; and hears it from
//! them. Hints: polling is the truth.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use sqlx::{Executor as _, PgExecutor, PgPool, postgres::PgListener};
use tokio::runtime::Handle;

use super::{
    connections::{Limit, single},
    core::{Core, Shared},
    error::Outcome,
    notice::{Cancelled, Heard, Writing},
    outbox::REPEATED,
};
use crate::{
    infrastructure::sql::Effects,
    ports::{Attention, Signal},
};

/// A process sends no more than one notice in this time: each of them locks the whole server for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// So long after a listening connection broke it is made anew.
const RECONNECT: Duration = Duration::from_millis(500);
/// After so long without a notice the listening connection is tried.
const QUIET: Duration = Duration::from_secs(60);
/// It has to answer within this time.
const ANSWER: Duration = Duration::from_secs(5);
impl Core {
    /// Tells this process what a committed transaction led to, and the others what they want to hear of it.
    pub(super) fn tell(self: &Arc<Self>, effects: &mut Effects, cancelled: &[Cancelled]) {
        let has_news = self.notices.are_heard && self.notices.outbox.add(effects, cancelled);
        self.told.tell(effects);
        if has_news {
            self.send_soon();
        }
    }

    /// Asks other processes to tell of what somebody here wants to hear.
    pub(super) fn attend(self: &Arc<Self>, to: Attention) {
        let outbox = &self.notices.outbox;
        if !self.notices.are_heard || Handle::try_current().is_err() {
            return;
        }
        if outbox.ask(to) {
            self.send_soon();
        }
        if to == Attention::Transitions && !outbox.is_asking.swap(true, Ordering::AcqRel) {
            tokio::spawn(ask(Asking { core: self.over_main(), is_done: false }));
        }
    }

    /// Sends what waits; what is said meanwhile goes along.
    fn send_soon(self: &Arc<Self>) {
        if !self.notices.outbox.is_sending.swap(true, Ordering::AcqRel) {
            tokio::spawn(send(Sending { core: self.over_main(), is_done: false }));
        }
    }

    /// Begins to listen, if there is a runtime and nobody does.
    pub(super) fn listen(&self) {
        let mut listening = self.notices.listening.lock();
        if !self.notices.are_heard || listening.as_ref().is_some_and(|it| !it.is_finished()) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        // Its password may change, if it is the user's.
        let way = self.source.clone().unwrap_or_else(|| self.pool.clone());
        *listening = Some(runtime.spawn(hear(Arc::downgrade(&self.shared), way, self.timeout)).abort_handle());
    }
}

/// What is told of these queues by `sender`. Those that find no place are left to polling: a longer notice would fail, and with
/// it the transaction that it is sent in.
pub(super) fn payload<'q>(sender: u64, queues: impl Iterator<Item = &'q str>) -> String {
    let mut writing = Writing::new(sender);
    queues.for_each(|it| writing.queue(it));
    writing.into_texts().into_iter().next().unwrap_or_default()
}

/// Whoever sends; if its runtime ends under it, the next one may.
struct Sending {
    core: Arc<Core>,
    /// It has said so itself: by now another one may send.
    is_done: bool,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_done {
            self.core.notices.outbox.is_sending.store(false, Ordering::Release);
        }
    }
}

async fn send(mut sending: Sending) {
    let core = sending.core.clone();
    let outbox = &core.notices.outbox;
    loop {
        let (texts, transitions) = outbox.take(core.notices.sender);
        if texts.is_empty() {
            // Who came between the look and the word that nobody sends any more is not to be missed.
            outbox.is_sending.store(false, Ordering::Release);
            if outbox.is_empty() || outbox.is_sending.swap(true, Ordering::AcqRel) {
                sending.is_done = true;
                return;
            }
            continue;
        }
        let sent = core
            .try_once(&move |core: Arc<Core>, conn| {
                let texts = texts.clone();
                Box::pin(async move {
                    let is_open = core.open(conn).await?;
                    let sent = async {
                        let channel = core.channel(&mut *conn).await?;
                        let text = "SELECT pg_notify($1, n) FROM unnest($2::text[]) n";
                        Outcome::Ok(sqlx::query(text).bind(channel).bind(texts).execute(&mut *conn).await?)
                    };
                    let sent = sent.await;
                    core.close(conn, is_open, sent).await.map(drop)
                })
            })
            .await;
        if sent.is_err() {
            // Nobody else is harmed if it is lost: there are heartbeats and polling.
            if outbox.is_wanted(Attention::Transitions) {
                outbox.missed(transitions);
            }
            tokio::time::sleep(RECONNECT).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whoever sees to it that others know of subscribers here.
struct Asking {
    core: Arc<Core>,
    /// It has said so itself: by now another one may ask.
    is_done: bool,
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.is_done {
            self.core.notices.outbox.is_asking.store(false, Ordering::Release);
        }
    }
}

/// Asks others for their transitions, again and again, as long as anybody here subscribes to them.
async fn ask(mut asking: Asking) {
    let core = asking.core.clone();
    let is_asking = &core.notices.outbox.is_asking;
    loop {
        if !core.told.is_subscribed() {
            // Who subscribes between the look and the word that nobody asks any more is not to be missed.
            is_asking.store(false, Ordering::Release);
            if !core.told.is_subscribed() || is_asking.swap(true, Ordering::AcqRel) {
                asking.is_done = true;
                return;
            }
        }
        if core.notices.outbox.ask(Attention::Transitions) {
            core.send_soon();
        }
        tokio::time::sleep(REPEATED).await;
    }
}

async fn hear(shared: Weak<Shared>, way: PgPool, timeout: Duration) {
    let mut is_first = true;
    while shared.strong_count() > 0 {
        // A new one each time: the listener says goodbye over a connection that may be dead, and keeps its place until the system
        // gives that up.
        let pool = single(&way, timeout, &Limit::none());
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && let Ok(Ok(())) = tokio::time::timeout(ANSWER, listen(&shared, &mut listener)).await
        {
            begin_anew(&shared, std::mem::take(&mut is_first));
            while hear_one(&shared, &mut listener).await {}
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn listen(shared: &Weak<Shared>, listener: &mut PgListener) -> Outcome<()> {
    let Some(shared) = shared.upgrade() else { return Ok(()) };
    let channel = shared.channel(&mut *listener).await?;
    Ok(listener.listen(channel).await?)
}

/// Hears a notice, or that for long there is none; whether to go on with this connection.
async fn hear_one(shared: &Weak<Shared>, listener: &mut PgListener) -> bool {
    match tokio::time::timeout(QUIET, listener.try_recv()).await {
        Ok(Ok(Some(notice))) => {
            let Some(shared) = shared.upgrade() else { return false };
            let heard = Heard::read(notice.payload());
            if heard.sender != shared.notices.sender {
                shared.hear(heard);
            }
            true
        }
        // It was cut, and is there again.
        Ok(Ok(None)) => {
            begin_anew(shared, false);
            true
        }
        Ok(Err(_)) => false,
        // A way that is gone without a word looks like one on which nobody speaks.
        Err(_) => matches!(tokio::time::timeout(ANSWER, listener.execute("SELECT 1")).await, Ok(Ok(_))),
    }
}

/// Nobody knows what was said while nobody listened.
fn begin_anew(shared: &Weak<Shared>, is_first: bool) {
    if let Some(shared) = shared.upgrade() {
        shared.told.nudge(&shared.names.queues());
        shared.notices.outbox.forget_asked();
        if !is_first {
            shared.names.doubt();
            shared.told.record(&[], 1);
        }
    }
}

impl Shared {
    /// Where processes meet. Whoever may connect may listen and speak there, but only who may read the tables knows the name.
    pub(super) async fn channel(&self, at: impl PgExecutor<'_>) -> Outcome<&str> {
        if let Some(channel) = self.notices.channel.get() {
            return Ok(channel);
        }
        let text = "SELECT value FROM ddd.setting WHERE name = 'channel'";
        let token: i64 = sqlx::query_scalar(self.texts.of(text)).fetch_one(at).await?;
        Ok(self.notices.channel.get_or_init(|| format!("ddd_{token:016x}")))
    }

    /// Tells this process what another one has said.
    fn hear(&self, heard: Heard) {
        heard.attention.iter().for_each(|it| self.notices.outbox.attention(*it));
        self.told.nudge(&heard.queues);
        for Cancelled { id, fence, worker } in heard.cancelled {
            // The others do not run it.
            if self.notices.workers.lock().contains(&worker) {
                self.told.signal(&Signal::Cancel { id, fence });
            }
        }
        if !heard.ended.is_empty() {
            self.told.ended_elsewhere(&heard.ended);
        }
        // They are on the way for a moment after the last subscriber has gone.
        if self.told.is_subscribed() {
            self.told.record(&heard.transitions, heard.missed);
        }
    }
}
