//! Another configuration, while the program runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(feature = "telemetry")]
use super::telemetry::Telemetry;
use super::{
    App, ChangedSetting, ReloadError, Reloaded, policies::policies, reload_hooks::Prepared, reloads::InForce, wiring,
};
use crate::{
    application::{Configuration, ConfigurationError, PolicyPlan, Registry, Settings, plan_policies, surrounded},
    domain::ConfigurationProblem,
    ports::QueueSettings,
};

/// What is to become of a configuration: all of it is checked.
struct Next {
    settings: Settings,
    registry: Registry,
    policies: Option<PolicyPlan>,
    prepared: Vec<Prepared>,
}

impl App {
    /// The configuration in force: the one that the application was built with, or the last one that it was given by a reload.
    #[must_use]
    pub fn configuration(&self) -> Option<Configuration> {
        self.0.reloads.in_force.lock().configuration.clone()
    }

    /// Reads the configuration again, from where it came from, and takes over what has changed; see [`App::reload_with`].
    ///
    /// # Errors
    /// As for that, or the configuration does not hold in itself. Nothing has changed then.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.turn(None).await
    }

    /// Takes over what is different in this configuration, all of it or nothing. It holds when this returns: the next body
    /// that starts, and the next call of a function with policies, go by it.
    ///
    /// These can change: overrides and defaults of tasks and policies, how many bodies run at once, which queues are served and
    /// their limits, how long history and results are kept, the level of logs, and the service's own sections (which
    /// [`AppBuilder::on_reload`](crate::AppBuilder::on_reload) is told of). All others need a restart, and a configuration in
    /// which one of them changed is refused. What the methods of the builder said still beats it.
    ///
    /// Bodies that run are not stopped. A queue that is no longer limited in the configuration has no limits.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place; or the store did not take the limits of queues.
    pub async fn reload_with(&self, configuration: &Configuration) -> Result<Reloaded, ReloadError> {
        self.turn(Some(configuration.clone())).await
    }

    async fn turn(&self, configuration: Option<Configuration>) -> Result<Reloaded, ReloadError> {
        let app = self.clone();
        // In a task of its own, so that nothing is left half done if nobody awaits the answer.
        let turn = self.0.services.runtime.spawn(surrounded(async move {
            let _turn = app.0.reloads.turn.lock().await;
            let configuration = match configuration {
                Some(it) => it,
                None => app.configuration().ok_or(ReloadError::WithoutConfiguration)?.read_again()?,
            };
            app.take_over(configuration).await
        }));
        turn.await.unwrap_or_else(|error| match error.is_panic() {
            true => Err(ReloadError::Panicked),
            false => Err(ReloadError::Ending),
        })
    }

    async fn take_over(&self, configuration: Configuration) -> Result<Reloaded, ReloadError> {
        let before = self.0.reloads.in_force.lock().clone();
        let next = self.checked(&before, &configuration).map_err(|problems| {
            let problems = problems.into_iter().map(|it| configuration.placed(it)).collect();
            ConfigurationError { problems }
        })?;
        // First, as nothing else can fail.
        let services = &self.0.services;
        let mut store = next.settings.store.clone();
        for (queue, _) in &before.settings.store.queues {
            if !store.queues.iter().any(|it| it.0 == *queue) {
                store.queues.push((queue.clone(), QueueSettings::new()));
            }
        }
        services.call(services.store.configure(store)).await.map_err(ReloadError::Store)?;
        services.registry.adopt(&next.registry);
        services.known_queues.set(wiring::named(&next.registry, &next.settings));
        self.serve_other_queues(&before.settings, &next);
        if next.settings.slots != before.settings.slots {
            self.set_slots(next.settings.slots);
        }
        next.policies.into_iter().for_each(PolicyPlan::carry_out);
        for prepared in next.prepared {
            // Whatever becomes of one, the others follow.
            contained(prepared);
        }
        let changed = changed(before.configuration.as_ref(), &configuration);
        let keys: Vec<_> = changed.iter().map(|it| it.key.as_str()).collect();
        tracing::info!(changed = keys.join(", "), "the configuration was read again");
        *self.0.reloads.in_force.lock() = InForce { settings: next.settings, configuration: Some(configuration) };
        Ok(Reloaded { changed })
    }

    fn serve_other_queues(&self, before: &Settings, next: &Next) {
        let queues = wiring::with_limits(wiring::served(&next.registry, &next.settings), &next.settings);
        let worker = self.0.worker.lock();
        let mut served = self.0.queues.lock();
        let is_same = *served == queues && before.store.queues == next.settings.store.queues;
        served.clone_from(&queues);
        drop(served);
        if let (Some(worker), false) = (&*worker, is_same) {
            worker.serve(queues);
        }
    }

    /// Checks all of it, and changes nothing.
    fn checked(&self, before: &InForce, configuration: &Configuration) -> Result<Next, Vec<ConfigurationProblem>> {
        let reloads = &self.0.reloads;
        let mut settings = configuration.settings().clone();
        reloads.edits.iter().for_each(|it| it(&mut settings));
        let mut problems = settings.faults();
        let (registry, more) = Registry::collect(&reloads.definitions, &settings);
        problems.extend(more);
        problems.extend(wiring::queue_problems(&settings));
        if !reloads.submit_only {
            let served = wiring::served(&registry, &settings);
            let run_here = registry.iter().filter(|it| served.contains(&it.settings.queue));
            let missing = self.0.services.providers.problems(run_here.map(|it| it.definition));
            problems.extend(missing.into_iter().map(|it| ConfigurationProblem::new(None, "", it)));
        }
        let mut fixed = configuration.needing_restart(before.configuration.as_ref(), (&before.settings, &settings));
        fixed.retain(|it| !(reloads.has_own_store && it.key == "store.url"));
        problems.extend(fixed);
        let (then, now) = (before.settings.policy_wishes(), settings.policy_wishes());
        let policies = match then == now {
            true => None,
            false => plan_policies(&policies(), &self.0.policy_hold, now).map_err(|found| problems.extend(found)).ok(),
        };
        let mut prepared = levels(before.configuration.as_ref(), configuration);
        for hook in &reloads.hooks {
            match contained(|| hook(configuration)) {
                Some(Ok(it)) => prepared.push(it),
                Some(Err(message)) => problems.push(ConfigurationProblem::new(None, "", message)),
                None => problems.push(ConfigurationProblem::new(None, "", "a hook of the program panicked")),
            }
        }
        if problems.is_empty() { Ok(Next { settings, registry, policies, prepared }) } else { Err(problems) }
    }
}

/// What sets the levels of logs, if telemetry was set up and they are different.
#[cfg(feature = "telemetry")]
fn levels(before: Option<&Configuration>, configuration: &Configuration) -> Vec<Prepared> {
    let is_same = before.is_some_and(|it| it.log_level() == configuration.log_level());
    match (Telemetry::installed(), configuration.log_level().parse()) {
        (Some(telemetry), Ok(levels)) if !is_same => vec![Box::new(move || telemetry.set_levels(levels))],
        _ => Vec::new(),
    }
}

#[cfg(not(feature = "telemetry"))]
const fn levels(_: Option<&Configuration>, _: &Configuration) -> Vec<Prepared> {
    Vec::new()
}

/// Runs what a user wrote; `None` if it panics.
fn contained<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run))
        .inspect_err(|_| tracing::error!("a hook panicked when the configuration was read again"))
        .ok()
}

/// The settings whose values are different.
fn changed(before: Option<&Configuration>, after: &Configuration) -> Vec<ChangedSetting> {
    let changed = after.changed_since(before);
    changed.into_iter().map(|(key, before, after, origin)| ChangedSetting { key, before, after, origin }).collect()
}
