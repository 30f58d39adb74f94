//! How much runs at once, how often, and how much may wait.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use ddd_core::{Filter, QueueSettings, Quota, SubmitError, TaskStatus, task};

use crate::{Outcome, builder, start};

/// Counts what runs at once, and remembers the most.
#[derive(Debug, Default)]
pub struct Gauge(Mutex<BTreeMap<String, (u32, u32)>>);

impl Gauge {
    fn change(&self, key: &str, by: i32) {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (now, most) = all.entry(key.to_owned()).or_default();
        *now = now.saturating_add_signed(by);
        *most = (*most).max(*now);
    }

    fn most(&self, key: &str) -> u32 {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).map_or(0, |it| it.1)
    }
}

/// Imports for a tenant, at most two at once for each.
#[task(concurrency(limit = 2, key = tenant))]
async fn import(tenant: String, #[inject] gauge: &Gauge) -> Result<u32, String> {
    gauge.change(&tenant, 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    gauge.change(&tenant, -1);
    Ok(gauge.most(&tenant))
}

/// Sends the day's news to a user, once however often it is asked for.
#[task(unique(by = user))]
async fn send_news(user: u64) {
    let _ = user;
}

/// Calls someone who does not like to be called often.
#[task(queue = "calls")]
async fn call() {}

/// Prints a page.
#[task(queue = "printer")]
async fn print(page: u32) {
    let _ = page;
}

/// Tells on which thread it runs.
#[task]
fn on_which_thread() -> Result<String, String> {
    Ok(std::thread::current().name().unwrap_or("a thread without a name").to_owned())
}

pub async fn show() -> Outcome {
    unique_and_keys().await?;
    queues().await?;
    rate().await?;
    blocking().await
}

async fn unique_and_keys() -> Outcome {
    section!("Unique: a second submission is answered with the first task");
    let app = builder().build().await?;
    let first = app.submit(send_news { user: 7 }).await?;
    let second = app.submit(send_news { user: 7 }).await?;
    say!("same task: {}, is a duplicate: {}", first.id() == second.id(), second.is_duplicate());
    app.start_workers().await?;
    first.result().await?;
    say!("after its end, a duplicate: {}", app.submit(send_news { user: 7 }).await?.is_duplicate());

    section!("Concurrency per key: at most two imports per tenant at once, others beside them");
    let tenants = ["north", "south"];
    let tasks = (0..12).map(|it| import { tenant: tenants[it % 2].to_owned() });
    let handles: Vec<_> = app.submit_many(tasks).await?.into_iter().collect::<Result<_, _>>()?;
    let blocked = app.tasks().list(Filter::all().status(TaskStatus::Blocked), None, 100).await?.items.len();
    say!("{} submitted, {blocked} of them blocked", handles.len());
    let mut most = BTreeMap::new();
    for (index, handle) in handles.iter().enumerate() {
        let seen = handle.result().await?;
        let of_tenant = most.entry(tenants[index % 2]).or_insert(0);
        *of_tenant = seen.max(*of_tenant);
    }
    say!("the most that ran at once: {most:?}");
    Ok(())
}

async fn queues() -> Outcome {
    section!("Queues: a bounded depth, a limit of their own, pause and resume");
    let app = start(builder().queue("printer", QueueSettings::new().max_depth(3).concurrency(1))).await?;
    app.tasks().pause("printer").await?;
    for page in 1..=4 {
        match app.submit(print { page }).await {
            Ok(_) => say!("page {page} waits"),
            Err(error @ SubmitError::QueueFull { .. }) => say!("page {page}: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    app.tasks().resume("printer").await?;
    app.tasks().wait_idle().await?;
    let queues = app.tasks().queues().await?;
    let printer = queues.iter().find(|it| it.name == "printer").ok_or("the queue is not known")?;
    say!("resumed: {} printed", printer.counts.get(TaskStatus::Success));
    Ok(())
}

async fn rate() -> Outcome {
    section!("Rate: ten calls per second, one at a time");
    let quota = Quota::new(10, Duration::from_secs(1)).ok_or("the quota is zero")?.burst(1);
    let app = start(builder().queue_rate("calls", quota)).await?;
    let mut transitions = app.tasks().transitions();
    for handle in app.submit_many((0..4).map(|_| call {})).await? {
        handle?;
    }
    let mut starts = Vec::new();
    while starts.len() < 4 {
        let transition = transitions.next().await?;
        if transition.to == TaskStatus::Running {
            starts.push(transition.at);
        }
    }
    let pauses: Vec<_> = starts.windows(2).map(|it| format!("{} ms", it[1].since(it[0]).as_millis())).collect();
    say!("between their starts: {}", pauses.join(", "));
    Ok(())
}

async fn blocking() -> Outcome {
    section!("A plain fn runs on a blocking thread, and slots can be changed while all runs");
    let app = start(builder().slots(4)).await?;
    say!("it ran on: {}", app.submit(on_which_thread {}).await?.result().await?);
    app.set_slots(1);
    let tasks = ["east", "west", "up"].map(|it| import { tenant: it.to_owned() });
    let handles: Vec<_> = app.submit_many(tasks).await?.into_iter().collect::<Result<_, _>>()?;
    let mut most = 0;
    while app.tasks().statistics().await?.now.get(TaskStatus::Success) < 1 + handles.len() as u64 {
        most = most.max(app.running());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    say!("with one slot, the most bodies seen at once: {most}");
    Ok(())
}
