//! Mistakes that a store could make, made on purpose: a test that shall find faults must find these.

use std::{
    str::FromStr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use ddd_core::{
    TaskStatus, TaskStore, Timestamp,
    ports::{
        ClaimRequest, Claimed, Claims, Control, Controlled, Enqueued, Finish, Finished, Heartbeat, NewTask, Reaped,
        ScheduleCommand, ScheduleRecord, Signal, SignalSink, StoreFuture,
    },
};
use parking_lot::Mutex;

use crate::kit::layer::{Layer, Layered};

/// A mistake of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests run through them all")]
pub enum Bug {
    /// It takes the end of an attempt from whoever reports it, whatever the fence.
    UnfencedFinish,
    /// It acknowledges submissions and stores them a little later.
    AcknowledgedBeforeStored,
    /// It never takes tasks back from dead workers.
    NoReaper,
    /// It hands out tasks only to who was told that there are some.
    WakeUpsOnly,
    /// It does not renew leases.
    LeaseNotRenewed,
    /// It hands out a task twice, under one fence.
    ClaimedTwice,
    /// It forgets to tell of a cancel.
    ForgottenCancel,
    /// It fires a tick for everyone who asks.
    TickForEveryone,
    /// It does not know idempotency keys again.
    ForgottenKey,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::UnfencedFinish,
        Self::AcknowledgedBeforeStored,
        Self::NoReaper,
        Self::WakeUpsOnly,
        Self::LeaseNotRenewed,
        Self::ClaimedTwice,
        Self::ForgottenCancel,
        Self::TickForEveryone,
        Self::ForgottenKey,
    ];
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| format!("{it:?}") == text).ok_or_else(|| format!("`{text}` is no bug"))
    }
}

/// What one process has of a store that makes this mistake. What the process forgets at its end is in here.
#[must_use]
pub fn with_bug(store: Arc<dyn TaskStore>, bug: Bug) -> Arc<dyn TaskStore> {
    let told = Arc::new(Told { was_told: AtomicBool::new(false), sinks: Mutex::default() });
    let sink: Arc<dyn SignalSink> = told.clone();
    store.attach(Arc::downgrade(&sink));
    Arc::new(Layered(Arc::new(Buggy { store, bug, told, unstored: Arc::default(), claimed: Arc::default() })))
}

struct Buggy {
    store: Arc<dyn TaskStore>,
    bug: Bug,
    told: Arc<Told>,
    /// What was acknowledged, and is yet to be stored.
    unstored: Arc<Mutex<Vec<NewTask>>>,
    /// What was handed out last, to be handed out again.
    claimed: Arc<Mutex<Option<Claimed>>>,
}

impl Buggy {
    /// Stores what was acknowledged, but for the last, so that a process has something unstored whenever it is killed; the answers are
    /// lost, as the submitters have theirs.
    fn store_now(&self) -> impl Future<Output = ()> + Send + 'static {
        let (store, unstored) = (self.store.clone(), self.unstored.clone());
        async move {
            let tasks = {
                let mut unstored = unstored.lock();
                let all_but_one = unstored.len().saturating_sub(1);
                unstored.drain(..all_but_one).collect::<Vec<_>>()
            };
            if !tasks.is_empty() && store.enqueue(tasks.clone()).await.is_err() {
                unstored.lock().extend(tasks);
            }
        }
    }
}

impl Layer for Buggy {
    fn below(&self) -> &Arc<dyn TaskStore> {
        &self.store
    }

    fn enqueue(&self, mut tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        match self.bug {
            Bug::AcknowledgedBeforeStored => {
                let before = self.store_now();
                let unstored = self.unstored.clone();
                Box::pin(async move {
                    before.await;
                    let answers = tasks.iter().map(|_| Enqueued::Created(TaskStatus::Pending)).collect();
                    unstored.lock().extend(tasks);
                    Ok(answers)
                })
            }
            Bug::ForgottenKey => {
                tasks.iter_mut().for_each(|it| it.idempotency = None);
                self.store.enqueue(tasks)
            }
            _ => self.store.enqueue(tasks),
        }
    }

    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        let is_honest = !matches!(self.bug, Bug::AcknowledgedBeforeStored | Bug::ForgottenKey);
        is_honest.then(|| self.store.enqueue_now(task, now)).flatten()
    }

    fn claim(&self, mut request: ClaimRequest) -> StoreFuture<Claims> {
        if self.bug == Bug::WakeUpsOnly && !self.told.was_told.swap(false, Ordering::SeqCst) {
            return Box::pin(std::future::ready(Ok(Claims::default())));
        }
        if self.bug != Bug::ClaimedTwice || request.max < 2 {
            return self.store.claim(request);
        }
        request.max -= 1;
        let (claimed, answer) = (self.claimed.clone(), self.store.claim(request));
        Box::pin(async move {
            let mut claims = answer.await?;
            let again = std::mem::replace(&mut *claimed.lock(), claims.tasks.first().cloned());
            claims.tasks.extend(again);
            Ok(claims)
        })
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        if self.bug != Bug::UnfencedFinish {
            return self.store.finish(finishes);
        }
        let store = self.store.clone();
        Box::pin(async move {
            let records = store.get(finishes.iter().map(|it| it.id).collect()).await?;
            let unfenced = finishes.into_iter().zip(records).map(|(finish, record)| {
                let running = record.filter(|it| it.status == TaskStatus::Running);
                Finish::new(finish.id, running.map_or(finish.fence, |it| it.fence), finish.end)
            });
            store.finish(unfenced.collect()).await
        })
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        let is_honest = !matches!(self.bug, Bug::UnfencedFinish | Bug::WakeUpsOnly | Bug::ClaimedTwice);
        is_honest.then(|| self.store.finish_and_claim_now(finishes, request)).flatten()
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        match self.bug {
            Bug::LeaseNotRenewed => Box::pin(std::future::ready(Ok(Vec::new()))),
            Bug::AcknowledgedBeforeStored => {
                let (before, answer) = (self.store_now(), self.store.heartbeat(heartbeat));
                Box::pin(async move {
                    before.await;
                    answer.await
                })
            }
            Bug::ForgottenCancel => {
                let answer = self.store.heartbeat(heartbeat);
                Box::pin(async move {
                    let signals = answer.await?;
                    Ok(signals.into_iter().filter(|it| !matches!(it, Signal::Cancel { .. })).collect())
                })
            }
            _ => self.store.heartbeat(heartbeat),
        }
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        if self.bug == Bug::NoReaper {
            return Box::pin(std::future::ready(Ok(Reaped::default())));
        }
        self.store.reap(max)
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        let Control::Cancel { ids, .. } = &command else { return self.store.control(command) };
        if self.bug != Bug::ForgottenCancel {
            return self.store.control(command);
        }
        let asked = self.store.get(ids.clone());
        Box::pin(async move {
            let answer = |record: Option<ddd_core::TaskRecord>| match record {
                Some(it) if it.status == TaskStatus::Running => Controlled::Requested { fence: it.fence },
                Some(it) if it.status.is_terminal() => Controlled::Refused(it.status),
                Some(_) => Controlled::Applied(TaskStatus::Cancelled),
                None => Controlled::Unknown,
            };
            Ok(asked.await?.into_iter().map(answer).collect())
        })
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        let ScheduleCommand::Fire { task, .. } = &command else { return self.store.schedules(command) };
        if self.bug != Bug::TickForEveryone {
            return self.store.schedules(command);
        }
        let (store, task) = (self.store.clone(), (**task).clone());
        Box::pin(async move {
            let fired = store.schedules(command).await?;
            if fired.is_empty() {
                store.enqueue(vec![task]).await?;
            }
            Ok(fired)
        })
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        if self.bug == Bug::WakeUpsOnly {
            self.told.sinks.lock().push(sink);
        } else {
            self.store.attach(sink);
        }
    }
}

/// Hears what the store tells, and passes it on.
struct Told {
    was_told: AtomicBool,
    sinks: Mutex<Vec<Weak<dyn SignalSink>>>,
}

impl Told {
    fn sinks(&self) -> Vec<Arc<dyn SignalSink>> {
        self.sinks.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

impl SignalSink for Told {
    fn record(&self, transition: &ddd_core::Transition) -> bool {
        self.sinks().iter().fold(false, |is_waited_for, it| it.record(transition) | is_waited_for)
    }

    fn signal(&self, signal: Signal) {
        if matches!(signal, Signal::Ready { .. }) {
            self.was_told.store(true, Ordering::SeqCst);
        }
        for sink in self.sinks() {
            sink.signal(signal.clone());
        }
    }
}
