//! One seed: a workload and its trouble, then peace, then the check.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ddd_core::{
    App, Filter, MemoryStore, Priority, Schedule, SubmitError, TaskHandle, TaskId, TaskRecord, TaskStatus, TaskStore,
    ports::{Control, ScheduleCommand, SignalSink},
    testing::{self, VirtualClock},
};
use ddd_tests::kit::{bugs::Bug, layer::Layered};
use tokio::task::JoinSet;

use crate::{
    bodies::{keyed, single, tick, work},
    chance::Chance,
    checker, coverage,
    ledger::{Asked, Ledger, Submitted},
    node::{Cluster, Node},
    witness::Witness,
};

/// What a seed came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) tasks: usize,
    pub(crate) bodies: usize,
    /// A hash over everything that happened.
    pub(crate) history: u64,
    /// How often what happened: what a run that finds nothing has at least been through.
    pub(crate) seen: BTreeMap<String, usize>,
}

struct Simulation {
    cluster: Cluster,
    memory: MemoryStore,
    random: fastrand::Rng,
    nodes: Vec<Node>,
    /// What users do, each at its own pace.
    users: JoinSet<()>,
    submitted: u32,
}

/// Runs one seed to its end.
///
/// # Errors
/// What did not hold.
pub(crate) async fn run(seed: u64, bug: Option<Bug>) -> Result<Outcome, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let chance = Chance::draw(&mut random);
    let (ledger, clock) = (Arc::new(Ledger::default()), Arc::new(VirtualClock::start()));
    let memory = MemoryStore::with_clock(clock.clone());
    let sink: Arc<dyn SignalSink> = ledger.clone();
    memory.attach(Arc::downgrade(&sink));
    let witness = Witness { store: Arc::new(memory.clone()), ledger: ledger.clone(), clock: clock.clone() };
    let store: Arc<dyn TaskStore> = Arc::new(Layered(Arc::new(witness)));
    let cluster = Cluster { seed, bug, chance, clock, store, ledger };
    let mut simulation = Simulation { cluster, memory, random, nodes: Vec::new(), users: JoinSet::new(), submitted: 0 };
    simulation.begin().await;
    for _ in 0..simulation.cluster.chance.events {
        simulation.event().await;
        let pause = simulation.random.u64(..=simulation.cluster.chance.pace);
        pass(if simulation.random.bool() { 0 } else { pause }).await;
    }
    simulation.settle().await?;
    simulation.check().await
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

impl Simulation {
    async fn begin(&mut self) {
        for number in 0..self.cluster.chance.nodes {
            // One node makes the schedule while all is well.
            let node = self.cluster.start(self.random.fork(), number == 0).await;
            if number == 0 {
                let every = Schedule::every(Duration::from_secs(7)).unwrap();
                node.app.tasks().schedules().put("ticking", every, tick {}).await.unwrap();
            }
            self.nodes.push(node);
        }
    }

    async fn event(&mut self) {
        let node = self.random.usize(..self.nodes.len());
        let app = self.nodes[node].app.clone();
        match self.random.u32(..100) {
            0..62 => self.submit(app),
            62..72 => self.control(app, Asked::Cancel),
            72..78 => self.control(app, Asked::Retry),
            78..82 => self.control(app, Asked::Reprioritise),
            82..87 => self.pause(app),
            87..90 => self.nodes[node].set_slots(&self.cluster.ledger, self.random.usize(1..=4)),
            90..93 if self.cluster.chance.deaths => {
                self.cluster.ledger.book().deaths += 1;
                self.nodes[node].cut_off(Duration::from_secs(self.random.u64(1..50)));
            }
            93..97 if self.cluster.chance.deaths => {
                self.cluster.ledger.book().deaths += 1;
                testing::crash(&app).await;
                self.replace(node).await;
            }
            97..100 if self.cluster.chance.deaths => {
                self.cluster.ledger.book().deaths += 1;
                app.shutdown(Duration::from_millis(self.random.u64(..6_000))).await;
                self.replace(node).await;
            }
            _ => pass(self.random.u64(..3_000)).await,
        }
    }

    async fn replace(&mut self, node: usize) {
        pass(self.random.u64(..5_000)).await;
        self.nodes[node] = self.cluster.start(self.random.fork(), false).await;
    }

    /// A user submits a task: with a key, as often as it takes; or once, perhaps without waiting for the answer.
    fn submit(&mut self, app: App) {
        self.submitted += 1;
        let (number, mut random, ledger) = (self.submitted, self.random.fork(), self.cluster.ledger.clone());
        ledger.book().attempted.insert(number);
        self.users.spawn(async move {
            let key = random.bool().then(|| format!("submission {number}"));
            let patience = (random.u32(..10) == 0).then(|| Duration::from_millis(random.u64(..2_000)));
            let content = random.fork();
            for _ in 0..5 {
                let mut content = content.clone();
                let attempt = submission(&app, number, key.as_deref(), &mut content);
                let answer = match patience {
                    // The submitter goes away in the middle of the call.
                    Some(patience) => match tokio::time::timeout(patience, attempt).await {
                        Ok(answer) => answer,
                        Err(_) => return,
                    },
                    None => attempt.await,
                };
                match answer {
                    Ok(handle) => {
                        let acknowledged = Some(handle.id());
                        ledger.book().submissions.push(Submitted { number, acknowledged });
                        if random.u32(..4) == 0 {
                            // Waits for the end, as users do.
                            let id = handle.id();
                            ledger.waited(id, handle.result().await);
                        }
                        return;
                    }
                    Err(SubmitError::Store(_)) if key.is_some() => pass(random.u64(..3_000)).await,
                    Err(SubmitError::Store(_) | SubmitError::QueueFull { .. }) => return,
                    Err(error) => {
                        ledger.book().problems.push(format!("submission {number} was refused: {error}"));
                        return;
                    }
                }
            }
        });
    }

    /// A user asks for something about a task that was submitted.
    fn control(&mut self, app: App, what: Asked) {
        let ledger = self.cluster.ledger.clone();
        let known: Vec<_> = ledger.book().submissions.iter().filter_map(|it| it.acknowledged).collect();
        if known.is_empty() {
            return;
        }
        let id = known[self.random.usize(..known.len())];
        let priority = Priority::new(self.random.i8(-10..=10)).unwrap();
        self.users.spawn(async move {
            let tasks = app.tasks();
            let answer = match what {
                Asked::Cancel => tasks.cancel(id, "the simulation").await,
                Asked::Retry => tasks.retry(id).await,
                Asked::Reprioritise => tasks.reprioritise(id, priority).await,
            };
            if let Ok(answer) = answer {
                ledger.book().controls.push((id, what, answer));
            }
        });
    }

    fn pause(&mut self, app: App) {
        let queue = if self.random.bool() { "default" } else { "narrow" };
        let rest = self.random.u64(..15_000);
        self.users.spawn(async move {
            let paused = app.tasks().pause(queue).await;
            pass(rest).await;
            drop(paused.and(app.tasks().resume(queue).await));
        });
    }

    /// Peace: what was accepted must come to its end, and never be still for long.
    async fn settle(&mut self) -> Result<(), String> {
        // Under half of the seeds no hint ever arrives from now on: all that is left must be found by looking.
        let is_deaf = self.random.bool();
        self.nodes.iter().for_each(|it| it.calm(is_deaf));
        // What was late under way arrives, and whoever was cut off comes back.
        pass(60_000).await;
        self.memory.schedules(ScheduleCommand::Delete("ticking".into())).await.unwrap();
        for queue in ["default", "narrow"] {
            self.memory.control(Control::Resume { queue: queue.into() }).await.unwrap();
        }
        let mut seen = 0;
        loop {
            let now = self.memory.statistics().await.unwrap().now;
            if now.queued() + now.get(TaskStatus::Running) == 0 {
                break;
            }
            let told = self.cluster.ledger.book().transitions.len();
            if told == seen {
                let records = self.records().await;
                let stuck = records.values().find(|it| !it.status.is_terminal()).map(|it| it.id);
                let history = stuck.map_or_else(String::new, |id| checker::history(&self.cluster.ledger.book(), id));
                return Err(format!("nothing has happened for three minutes, and not all has ended: {now:?}{history}"));
            }
            seen = told;
            for _ in 0..9 {
                pass(20_000).await;
                if self.cluster.ledger.book().transitions.len() != seen {
                    break;
                }
            }
        }
        // Users who wait for a result have it, or the task's end, by now.
        let users = async { while self.users.join_next().await.is_some() {} };
        let waited = tokio::time::timeout(Duration::from_secs(120), users).await;
        waited.map_err(|_| "a user still waits, though all has ended".to_owned())
    }

    async fn records(&self) -> BTreeMap<TaskId, TaskRecord> {
        let (mut records, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page = self.memory.list(Filter::all(), cursor, 500).await.unwrap();
            let found = self.memory.get(page.items.iter().map(|it| it.id).collect()).await.unwrap();
            records.extend(found.into_iter().flatten().map(|it| (it.id, it)));
            cursor = page.next;
            if cursor.is_none() {
                return records;
            }
        }
    }

    async fn check(mut self) -> Result<Outcome, String> {
        for node in std::mem::take(&mut self.nodes) {
            let report = node.app.shutdown(Duration::from_secs(5)).await;
            if report != ddd_core::ShutdownReport::default() {
                return Err(format!("bodies run on though all has ended: {report:?}"));
            }
        }
        let (records, statistics) = (self.records().await, self.memory.statistics().await.unwrap());
        let book = self.cluster.ledger.book();
        checker::check(&book, &records, &statistics)?;
        Ok(Outcome {
            tasks: records.len(),
            bodies: book.ran.len(),
            history: checker::fingerprint(&book),
            seen: coverage::seen(&book, &records),
        })
    }
}

/// A submission that the chances make.
async fn submission(
    app: &App,
    number: u32,
    key: Option<&str>,
    random: &mut fastrand::Rng,
) -> Result<TaskHandle<u64>, SubmitError> {
    let of_kind = random.u32(..10);
    let priority = Priority::new(random.i8(-10..=10)).unwrap();
    let delay = Duration::from_millis(if random.u32(..4) == 0 { random.u64(..20_000) } else { 0 });
    let group = random.u32(..3);
    let submission = match of_kind {
        0..5 => app.submit(work { number }),
        5..8 => app.submit(keyed { number, key: group % 2 }),
        _ => app.submit(single { number, key: group }),
    };
    let submission = submission.priority(priority).delay(delay);
    match key {
        Some(key) => submission.idempotency_key(key).await,
        None => submission.await,
    }
}
