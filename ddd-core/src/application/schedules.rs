//! Tasks that run by themselves.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Serialize;

use super::{
    handle::TaskHandle,
    prepare::checked_named,
    records::masked_schedule,
    services::Services,
    submission::{self, Submission},
    submit_error::SubmitError,
};
use crate::{
    domain::{Name, Origin, Schedule, ScheduleError, Timestamp},
    ports::{ScheduleCommand, ScheduleRecord, StoreError, Task},
};

/// The schedules of an application: those written in attributes, and those made at run time.
///
/// Ticks that were missed, because no process ran or the schedule was paused, make one run together. Of many processes,
/// one fires each tick. In the schedules that it answers with, the parameters that are secret are `***`.
#[derive(Clone, Debug)]
pub struct Schedules {
    services: Arc<Services>,
}

/// A schedule could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulesError {
    /// There is no schedule of this name.
    #[error("there is no schedule `{0}`")]
    Unknown(Name),
    /// The name cannot be one.
    #[error("{0}")]
    InvalidName(String),
    /// The rule cannot be read.
    #[error(transparent)]
    Rule(#[from] ScheduleError),
    /// Its task cannot be submitted.
    #[error(transparent)]
    Task(#[from] SubmitError),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Schedules {
    pub(crate) const fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    /// Creates a schedule that submits `task` at every tick, or changes the one of this name; its pause and its last tick
    /// stay.
    ///
    /// # Errors
    /// The name or the task is not valid, or the store could not do it.
    pub async fn put<T: Task>(
        &self,
        name: impl Into<Name>,
        schedule: Schedule,
        task: T,
    ) -> Result<ScheduleRecord, SchedulesError> {
        self.put_named(name, schedule, T::definition().name, &task).await
    }

    /// The same for a task by its name, with these parameters.
    ///
    /// # Errors
    /// As [`Schedules::put`].
    pub async fn put_named(
        &self,
        name: impl Into<Name>,
        schedule: Schedule,
        task: &str,
        params: &impl Serialize,
    ) -> Result<ScheduleRecord, SchedulesError> {
        let name = name.into();
        Name::check(&name).map_err(|it| SchedulesError::InvalidName(format!("schedule `{name}`: {it}")))?;
        let raw = serde_json::value::to_raw_value(params)
            .map_err(|it| SchedulesError::InvalidName(format!("schedule `{name}`: its parameters: {it}")))?;
        // What a submission looks at is looked at now, so that a schedule whose task cannot be submitted is refused at once.
        let (registered, params, _) = checked_named(&self.services, task, &raw)?;
        let now = self.services.clock.now();
        let mut record = ScheduleRecord::new(
            name.clone(),
            registered.name.clone(),
            params,
            schedule.as_str().to_owned(),
            schedule.next_after(now),
        );
        record.time_zone = schedule.time_zone().map(str::to_owned);
        let stored = self.services.call(self.services.store.schedules(ScheduleCommand::Put(Box::new(record)))).await?;
        self.services.schedule_changed.notify_one();
        self.first(stored, name)
    }

    /// All schedules, by name.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn list(&self) -> Result<Vec<ScheduleRecord>, StoreError> {
        let all = self.services.call(self.services.store.schedules(ScheduleCommand::List(None))).await?;
        Ok(all.into_iter().map(|it| masked_schedule(&self.services.registry, it)).collect())
    }

    /// One schedule.
    ///
    /// # Errors
    /// There is none of this name, or the store could not say.
    pub async fn get(&self, name: &str) -> Result<ScheduleRecord, SchedulesError> {
        self.stored(name).await.map(|it| masked_schedule(&self.services.registry, it))
    }

    /// The schedule of this name, its secrets whole.
    async fn stored(&self, name: &str) -> Result<ScheduleRecord, SchedulesError> {
        let found = self.services.call(self.services.store.schedules(ScheduleCommand::List(Some(name.into())))).await?;
        found.into_iter().next().ok_or_else(|| SchedulesError::Unknown(name.into()))
    }

    /// Lets a schedule rest. Its ticks pass; at most one of them is made up for, if it was due before.
    ///
    /// # Errors
    /// There is none of this name, or the store could not do it.
    pub async fn pause(&self, name: &str) -> Result<ScheduleRecord, SchedulesError> {
        self.set_paused(name, true).await
    }

    /// Lets a schedule go on with the next tick from now.
    ///
    /// # Errors
    /// There is none of this name, or the store could not do it.
    pub async fn resume(&self, name: &str) -> Result<ScheduleRecord, SchedulesError> {
        self.set_paused(name, false).await
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<ScheduleRecord, SchedulesError> {
        let record = self.get(name).await?;
        let next = if paused { record.next } else { rule(&record)?.next_after(self.services.clock.now()) };
        let command = ScheduleCommand::Pause { name: record.name.clone(), paused, next };
        let changed = self.services.call(self.services.store.schedules(command)).await?;
        self.services.schedule_changed.notify_one();
        self.first(changed, record.name)
    }

    /// Removes a schedule. Tasks that it has submitted stay.
    ///
    /// # Errors
    /// There is none of this name, or the store could not do it.
    pub async fn delete(&self, name: &str) -> Result<ScheduleRecord, SchedulesError> {
        let command = ScheduleCommand::Delete(name.into());
        let gone = self.services.call(self.services.store.schedules(command)).await?;
        self.first(gone, name.into())
    }

    /// What the store answered about a schedule, as it is shown.
    fn first(&self, answer: Vec<ScheduleRecord>, name: Name) -> Result<ScheduleRecord, SchedulesError> {
        let record = answer.into_iter().next().ok_or(SchedulesError::Unknown(name))?;
        Ok(masked_schedule(&self.services.registry, record))
    }

    /// Submits a schedule's task now. Its ticks are not affected.
    ///
    /// # Errors
    /// There is none of this name, its task is not taken, or the store could not do it.
    pub async fn run_now(&self, name: &str) -> Result<TaskHandle<serde_json::Value>, SchedulesError> {
        self.run_now_for(name, Origin::default()).await
    }

    /// The same, on behalf of somebody: with the request id, the trace context and the owner of `origin`.
    ///
    /// # Errors
    /// As [`Schedules::run_now`].
    pub async fn run_now_for(
        &self,
        name: &str,
        origin: Origin,
    ) -> Result<TaskHandle<serde_json::Value>, SchedulesError> {
        let record = self.stored(name).await?;
        let origin = Origin { schedule: Some(record.name), ..origin };
        let submission: Submission<_> = submission::submit_named(&self.services, &record.task, &record.params);
        Ok(submission.origin(origin).await?)
    }
}

/// The rule of a stored schedule.
fn rule(record: &ScheduleRecord) -> Result<Schedule, ScheduleError> {
    Schedule::from_rule(&record.rule, record.time_zone.as_deref())
}

/// Stores the schedules that attributes wrote.
///
/// # Errors
/// The store could not do it. Rules were checked before.
pub(crate) async fn declare(services: &Arc<Services>) -> Result<(), SchedulesError> {
    let schedules = Schedules::new(services.clone());
    for registered in services.registry.iter().filter(|it| !it.definition.is_remote()) {
        if let Some(option) = registered.definition.options.schedule {
            let rule = Schedule::from_option(option)?;
            schedules.put_named(registered.name.clone(), rule, &registered.name, &()).await?;
        }
    }
    Ok(())
}

/// How often the schedules are looked at: another process may change one, and a suspended machine wakes late.
const LOOK: Duration = Duration::from_secs(30);

/// How soon a tick is fired again that the store did not take.
const AGAIN: Duration = Duration::from_secs(1);

/// Fires ticks as they become due. It is ended from outside.
pub(crate) async fn live(services: Arc<Services>) {
    let mut rules = Rules::default();
    loop {
        let wait = match services.call(services.store.schedules(ScheduleCommand::List(None))).await {
            Ok(all) => fire_due(&services, &all, &mut rules).await.map_or(LOOK, |at| at.since(services.clock.now())),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the schedules could not be read; trying again"
                );
                AGAIN
            }
        };
        let wait = wait.clamp(Duration::from_millis(1), LOOK);
        let _ = tokio::time::timeout(wait, services.schedule_changed.notified()).await;
    }
}

/// Rules that were read before, by their text.
type Rules = HashMap<(String, Option<String>), Option<Schedule>>;

/// Fires every schedule that is due; answers when the next one will be.
async fn fire_due(services: &Arc<Services>, all: &[ScheduleRecord], rules: &mut Rules) -> Option<Timestamp> {
    let mut soonest: Option<Timestamp> = None;
    if rules.len() > 2 * all.len() + 16 {
        // Most of them are of schedules that were changed or deleted.
        rules.clear();
    }
    for record in all.iter().filter(|it| !it.paused) {
        let Some(tick) = record.next else { continue };
        let rule = rules.entry((record.rule.clone(), record.time_zone.clone())).or_insert_with(|| {
            rule(record)
                .inspect_err(
                    |error| tracing::error!(schedule = %record.name, %error, "a schedule's rule cannot be read"),
                )
                .ok()
        });
        let Some(rule) = rule else { continue };
        let now = services.clock.now();
        // Ticks that were missed make one run: the next one is counted from now.
        let next = if tick > now {
            Some(tick)
        } else {
            let next = rule.next_after(now);
            let again = Some(now.after(AGAIN));
            if fire(services, record, tick, next).await { next } else { next.min(again).or(again) }
        };
        soonest = [soonest, next].into_iter().flatten().min();
    }
    soonest
}

/// Fires a tick; whether that is settled.
async fn fire(services: &Arc<Services>, record: &ScheduleRecord, tick: Timestamp, next: Option<Timestamp>) -> bool {
    let task = match submission::scheduled(services, &record.task, &record.params, &record.name) {
        Ok(task) => Box::new(task),
        Err(error) => {
            // Another process may know the task; the tick is its to fire.
            tracing::error!(schedule = %record.name, error = &error as &dyn std::error::Error, "a tick could not be fired");
            return true;
        }
    };
    let command = ScheduleCommand::Fire { name: record.name.clone(), tick, next, task };
    match services.call(services.store.schedules(command)).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(schedule = %record.name, error = &error as &dyn std::error::Error, "a tick was not stored; trying again");
            false
        }
    }
}
