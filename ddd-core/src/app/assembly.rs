//! Checks what a builder was told, and puts the application together.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, AtomicUsize},
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Notify};

#[cfg(feature = "config")]
use super::reloads::{InForce, Reloads};
use super::{
    App, AppBuilder, BuildError, Inner,
    policies::policies,
    store_url::{self, StoreUrl},
    wiring,
};
#[cfg(feature = "config")]
use crate::application::{Broken, Configuration};
use crate::{
    application::{
        Bell, Factory, IdGenerator, Inbox, KnownQueues, PolicyHold, Registry, Services, Threads, TransitionLog,
        override_problems, push_overrides, set_cache_store, set_limit_store,
    },
    domain::{ConfigurationProblem, PolicyKind},
    infrastructure::{SystemClock, linked, linked_policies},
    ports::{Clock, Definition, SignalSink, TaskStore},
};

impl AppBuilder {
    /// Checks the wiring, and puts the application together. Nothing runs yet.
    ///
    /// The application provides itself: a body takes `#[inject] app: App` to submit tasks.
    ///
    /// # Errors
    /// Everything that is wrong, at once: names used twice, missing dependencies, settings out of range, schedules that
    /// cannot be read; or the store does not answer.
    pub async fn build(self) -> Result<App, BuildError> {
        // On the heap: it is large, and awaited once.
        Box::pin(self.build_here()).await
    }

    /// The same, and starts the workers: [`AppBuilder::build`], then [`App::start_workers`].
    ///
    /// # Errors
    /// As for both. What is wrong with the wiring is told before anything runs.
    pub async fn start(self) -> Result<App, BuildError> {
        let app = Box::pin(self.build_here()).await?;
        app.start_workers().await?;
        Ok(app)
    }

    async fn build_here(mut self) -> Result<App, BuildError> {
        // Known only afterwards, and not held: an application that held itself would never end.
        let built: Arc<OnceLock<Weak<Inner>>> = Arc::default();
        let app = built.clone();
        self.providers.factory_unless_provided(Factory::new(move |_| {
            let app = app.get().and_then(Weak::upgrade).map(App);
            std::future::ready(app.ok_or_else(|| "the application has ended".into()))
        }));
        let app = self.assemble().await?;
        // Set once: nobody else knows the cell.
        let _ = built.set(Arc::downgrade(&app.0));
        Ok(app)
    }

    async fn assemble(mut self) -> Result<App, BuildError> {
        self.edits.iter().for_each(|it| it(&mut self.settings));
        let definitions = self.definitions.take().unwrap_or_else(linked);
        let (registry, found) = Registry::collect(&definitions, &self.settings);
        let mut problems = self.settings.faults();
        problems.extend(found);
        problems.extend(self.wiring_problems(&definitions, &registry));
        let url = if self.store.is_none() { self.url_said() } else { None };
        let url = url.as_deref().map(StoreUrl::read).transpose().unwrap_or_else(|message| {
            problems.push(ConfigurationProblem::new(None, "store.url", message));
            None
        });
        // Last, because they hold for the whole process from here on.
        let policies = policies();
        let pushed = match problems.is_empty() {
            true => push_overrides(&policies, self.settings.policy_wishes()),
            false => {
                problems.extend(override_problems(&policies, &self.settings.policy_wishes()));
                Err(problems)
            }
        };
        let policy_hold = pushed
            .map_err(|problems: Vec<_>| BuildError::Wiring(problems.into_iter().map(|it| self.told(it)).collect()))?;
        #[cfg(feature = "config")]
        let has_own_store = self.store.is_some() || self.store_url.is_some();
        #[cfg(feature = "config")]
        for it in self.configuration.iter().flat_map(|it| it.unused()) {
            tracing::warn!("{it}");
        }
        wiring::mistyped_queues(&registry, &self.settings)
            .into_iter()
            .for_each(|it| tracing::warn!("{}", self.told(it)));
        #[cfg(feature = "config")]
        if let Some(url) = self.configuration.as_ref().filter(|_| has_own_store).and_then(Configuration::store_url_set)
        {
            tracing::warn!("{url}: it is not used, as the program says in code where tasks are kept");
        }
        self.limit_store.take().into_iter().for_each(set_limit_store);
        self.cache_store.take().into_iter().for_each(set_cache_store);
        let runtime = Handle::try_current().map_err(BuildError::of_runtime)?;
        let clock = self.clock.take().unwrap_or_else(|| Arc::new(SystemClock));
        let store = match (self.store.take(), url) {
            (Some(store), _) => store,
            (None, Some(url)) => url.open(clock.clone()).await.map_err(BuildError::of_url)?,
            (None, None) => store_url::unless_set(clock.clone()),
        };
        #[cfg(feature = "config")]
        let reloads = self.reloads(definitions, has_own_store);
        self.put_together(
            registry,
            store,
            clock,
            runtime,
            policy_hold,
            #[cfg(feature = "config")]
            reloads,
        )
        .await
    }

    /// What the parts of the application lack for each other.
    fn wiring_problems(&self, definitions: &[&'static Definition], registry: &Registry) -> Vec<ConfigurationProblem> {
        let mut problems = Vec::new();
        if cfg!(panic = "abort") {
            let message = "this program is built with `panic = \"abort\"`: a panic in one task would end all; remove \
                           the setting from the profile";
            problems.push(unplaced(message.to_owned()));
        }
        problems.extend(wiring::schedule_problems(definitions).into_iter().map(unplaced));
        problems.extend(wiring::queue_problems(&self.settings));
        problems.extend(policies().problems().into_iter().map(unplaced));
        let stores = [
            (PolicyKind::RateLimited, "limit_store", self.limit_store.is_some()),
            (PolicyKind::Cached, "cache_store", self.cache_store.is_some()),
        ];
        for (kind, method, _) in stores.into_iter().filter(|(.., is_given)| !is_given) {
            problems.extend(wiring::shared_problems(&linked_policies(), kind, method).into_iter().map(unplaced));
        }
        if !self.submit_only {
            let served = wiring::served(registry, &self.settings);
            let run_here = registry.iter().filter(|it| served.contains(&it.settings.queue));
            problems.extend(self.providers.problems(run_here.map(|it| it.definition)).into_iter().map(unplaced));
        }
        problems.extend(self.hangup_problem());
        problems
    }

    /// The error of a configuration that does not hold, and of all else that is wrong: told at once, as each may take its time to mend.
    #[cfg(feature = "config")]
    pub(super) fn refused(self, broken: Broken) -> BuildError {
        let mut told: Vec<_> = broken.error.problems.iter().map(ToString::to_string).collect();
        if let Some(rest) = broken.rest {
            let builder = self.configuration(&rest);
            let definitions = builder.definitions.clone().unwrap_or_else(linked);
            let (registry, mut problems) = Registry::collect(&definitions, &builder.settings);
            problems.extend(builder.wiring_problems(&definitions, &registry));
            problems.extend(override_problems(&policies(), &builder.settings.policy_wishes()));
            let url = builder.url_said().and_then(|it| StoreUrl::read(&it).err());
            problems.extend(url.map(|it| ConfigurationProblem::new(None, "store.url", it)));
            told.extend(problems.into_iter().map(|it| builder.told(it)));
        }
        BuildError::Wiring(told)
    }

    async fn put_together(
        self,
        registry: Registry,
        store: Arc<dyn TaskStore>,
        clock: Arc<dyn Clock>,
        runtime: Handle,
        policy_hold: Arc<PolicyHold>,
        #[cfg(feature = "config")] reloads: Reloads,
    ) -> Result<App, BuildError> {
        let queues = wiring::with_limits(wiring::served(&registry, &self.settings), &self.settings);
        let slots = AtomicUsize::new(self.settings.slots);
        let known_queues = KnownQueues::new(wiring::named(&registry, &self.settings));
        let log = Arc::new(TransitionLog::new(self.settings.transitions_buffer));
        let bell = Arc::new(Bell::default());
        let services = Arc::new(Services {
            is_on_clock_of_store: store.clock().is_some_and(|it| Arc::ptr_eq(&it, &clock)),
            store,
            clock,
            registry,
            settings: self.settings,
            known_queues,
            ids: IdGenerator::default(),
            log: log.clone(),
            bell: bell.clone(),
            providers: self.providers,
            hooks: self.hooks,
            threads: Threads::new(&runtime, self.virtual_time),
            runtime,
            virtual_time: self.virtual_time,
            schedule_changed: Notify::new(),
        });
        let inbox = Arc::new(Inbox::new(log, bell));
        let sink: Arc<dyn SignalSink> = inbox.clone();
        services.store.attach(Arc::downgrade(&sink));
        services.call(services.store.configure(services.settings.store.clone())).await.map_err(BuildError::of_store)?;
        Ok(App(Arc::new(Inner {
            services,
            inbox,
            queues: Mutex::new(queues),
            running: tokio::sync::Mutex::new(None),
            worker: Mutex::new(None),
            is_shut_down: AtomicBool::new(false),
            slots,
            policy_hold,
            #[cfg(feature = "metrics")]
            recorded_queues: Mutex::default(),
            reloads_on_hangup: self.reloads_on_hangup,
            #[cfg(feature = "config")]
            reloads,
        })))
    }

    /// Takes out what only reloads need. The settings are complete.
    #[cfg(feature = "config")]
    fn reloads(&mut self, definitions: Vec<&'static Definition>, has_own_store: bool) -> Reloads {
        let configuration = self.configuration.take();
        Reloads {
            turn: tokio::sync::Mutex::new(()),
            in_force: Mutex::new(InForce { settings: self.settings.clone(), configuration }),
            edits: std::mem::take(&mut self.edits),
            definitions,
            hooks: std::mem::take(&mut self.reload_hooks),
            submit_only: self.submit_only,
            has_own_store,
        }
    }

    /// The URL that code says, or else the configuration.
    fn url_said(&self) -> Option<String> {
        #[cfg(feature = "config")]
        let configured = || self.configuration.as_ref().map(|it| it.store_url().to_owned());
        #[cfg(not(feature = "config"))]
        let configured = || None;
        self.store_url.clone().or_else(configured)
    }

    fn hangup_problem(&self) -> Option<ConfigurationProblem> {
        #[cfg(feature = "config")]
        let has_configuration = self.configuration.is_some();
        #[cfg(not(feature = "config"))]
        let has_configuration = false;
        let message = "there is no configuration to reload on SIGHUP; write `.configuration(…)` on the builder";
        (self.reloads_on_hangup && !has_configuration).then(|| unplaced(message.to_owned()))
    }

    /// A problem in words; with its place, if it stands in the configuration.
    #[cfg(feature = "config")]
    fn told(&self, problem: ConfigurationProblem) -> String {
        match &self.configuration {
            Some(configuration) => configuration.placed_or_bare(problem),
            None => problem.message,
        }
    }

    #[cfg(not(feature = "config"))]
    #[allow(clippy::unused_self, reason = "the same as with a configuration")]
    fn told(&self, problem: ConfigurationProblem) -> String {
        problem.message
    }
}

/// A problem of the program, which stands in no configuration.
fn unplaced(message: String) -> ConfigurationProblem {
    ConfigurationProblem::new(None, "", message)
}
