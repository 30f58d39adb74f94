//! Figures about all tasks.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use ddd_core::{Counts, Name, Statistics, TaskStatus, domain::Durations, domain::TaskStatistics};
use serde::Serialize;

use crate::{
    request::{Answer, Call, reply},
    seconds::Seconds,
    state::State,
};

/// Figures about all tasks: the short ones first, in the words that others use, then all there are.
#[derive(Debug, Serialize)]
struct StatisticsBody<'a> {
    /// Since the store began.
    total_tasks: u64,
    /// Now waiting to be claimed, in whatever status.
    queue_size: u64,
    pending_tasks: u64,
    running_tasks: u64,
    /// Since the store began, as the next four.
    completed_tasks: u64,
    failed_tasks: u64,
    cancelled_tasks: u64,
    timeout_tasks: u64,
    retried_attempts: u64,
    /// `null` before the first has ended.
    success_rate: Option<f64>,
    failure_rate: Option<f64>,
    average_duration: Option<Seconds>,
    median_duration: Option<Seconds>,
    throughput_per_second: f64,
    last_24h_completed: u64,
    last_24h_failed: u64,
    last_24h: &'a Counts,
    workers: usize,
    slots: usize,
    /// The part of all slots that runs a body; `null` if nobody has any.
    worker_utilization: Option<f64>,
    /// How many tasks are in each status now.
    status_distribution: &'a Counts,
    /// The same for each priority that has tasks.
    priority_distribution: &'a BTreeMap<i8, Counts>,
    queue_distribution: &'a BTreeMap<Name, Counts>,
    run_time: DurationsBody,
    wait_time: DurationsBody,
    tasks: BTreeMap<&'a str, TaskBody<'a>>,
}

#[derive(Debug, Serialize)]
struct TaskBody<'a> {
    submitted: u64,
    retried_attempts: u64,
    now: &'a Counts,
    finished: &'a Counts,
    run_time: DurationsBody,
}

/// How long something took, over `count` times, in seconds.
#[derive(Debug, Serialize)]
struct DurationsBody {
    count: u64,
    mean: Seconds,
    median: Seconds,
    p95: Seconds,
    max: Seconds,
}

impl From<&Durations> for DurationsBody {
    fn from(it: &Durations) -> Self {
        let Durations { count, mean, median, p95, max, .. } = *it;
        Self { count, mean: Seconds(mean), median: Seconds(median), p95: Seconds(p95), max: Seconds(max) }
    }
}

impl<'a> From<&'a TaskStatistics> for TaskBody<'a> {
    fn from(it: &'a TaskStatistics) -> Self {
        Self {
            submitted: it.submitted,
            retried_attempts: it.retried,
            now: &it.now,
            finished: &it.finished,
            run_time: (&it.run_time).into(),
        }
    }
}

/// Figures about all tasks.
pub(crate) async fn statistics(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let tasks = state.app.tasks();
    let all: Statistics = tasks.statistics().await?;
    let workers = tasks.workers().await?;
    let (slots, busy) = workers.iter().fold((0, 0), |sum, it| (sum.0 + it.slots, sum.1 + it.running));
    let unsuccessful = |it: &Counts| it.get(TaskStatus::Failed) + it.get(TaskStatus::Timeout);
    let has_run = all.run_time.count > 0;
    let body = StatisticsBody {
        total_tasks: all.submitted,
        queue_size: all.now.queued(),
        pending_tasks: all.now.get(TaskStatus::Pending),
        running_tasks: all.now.get(TaskStatus::Running),
        completed_tasks: all.finished.get(TaskStatus::Success),
        failed_tasks: all.finished.get(TaskStatus::Failed),
        cancelled_tasks: all.finished.get(TaskStatus::Cancelled),
        timeout_tasks: all.finished.get(TaskStatus::Timeout),
        retried_attempts: all.retried,
        success_rate: all.success_rate,
        failure_rate: ratio(unsuccessful(&all.finished), all.finished.total()),
        average_duration: has_run.then_some(Seconds(all.run_time.mean)),
        median_duration: has_run.then_some(Seconds(all.run_time.median)),
        throughput_per_second: all.throughput,
        last_24h_completed: all.last_24h.get(TaskStatus::Success),
        last_24h_failed: unsuccessful(&all.last_24h),
        last_24h: &all.last_24h,
        workers: workers.len(),
        slots,
        worker_utilization: ratio(busy as u64, slots as u64),
        status_distribution: &all.now,
        priority_distribution: &all.priorities,
        queue_distribution: &all.queues,
        run_time: (&all.run_time).into(),
        wait_time: (&all.wait_time).into(),
        tasks: all.tasks.iter().map(|(name, it)| (name.as_str(), it.into())).collect(),
    };
    reply(StatusCode::OK, &body)
}

#[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
