use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Notify};

use super::{App, BuildError, Inner, policies::policies, wiring};
use crate::{
    application::{
        Bell, Factory, FailedTask, Hooks, IdGenerator, Inbox, KnownQueues, Providers, Registry, Services, Settings,
        TaskOverrides, Threads, TransitionLog, push_overrides, set_cache_store, set_limit_store,
    },
    domain::{Name, PolicyKind, Quota, RankStep, Retry},
    infrastructure::{SystemClock, linked, linked_policies, memory::MemoryStore},
    ports::{BodyFuture, CacheStore, Clock, Definition, LimitStore, QueueSettings, SignalSink, TaskContext, TaskStore},
};

type Edit = Box<dyn FnOnce(&mut Settings) + Send + Sync>;

/// Puts an application together: say what differs from the defaults, then [`AppBuilder::build`] or [`AppBuilder::start`] it.
pub struct AppBuilder {
    settings: Settings,
    /// What differs from them, in order.
    edits: Vec<Edit>,
    providers: Providers,
    hooks: Hooks,
    store: Option<Arc<dyn TaskStore>>,
    limit_store: Option<Arc<dyn LimitStore>>,
    cache_store: Option<Arc<dyn CacheStore>>,
    clock: Option<Arc<dyn Clock>>,
    definitions: Option<Vec<&'static Definition>>,
    submit_only: bool,
    virtual_time: bool,
}

impl App {
    /// What differs from the defaults is said to a builder.
    #[must_use]
    pub fn builder() -> AppBuilder {
        AppBuilder {
            settings: Settings::default(),
            edits: Vec::new(),
            providers: Providers::default(),
            hooks: Hooks::default(),
            store: None,
            limit_store: None,
            cache_store: None,
            clock: None,
            definitions: None,
            submit_only: false,
            virtual_time: false,
        }
    }
}

impl AppBuilder {
    /// Provides a value to the parameters marked `#[inject]` of its type.
    #[must_use]
    pub fn provide<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.providers.value(value);
        self
    }

    /// Provides a value that is made anew for each attempt.
    #[must_use]
    pub fn provide_with<T: Send + Sync + 'static>(mut self, factory: Factory<T>) -> Self {
        self.providers.factory(factory);
        self
    }

    /// Keeps tasks in this store; in memory unless set.
    #[must_use]
    pub fn store(mut self, store: impl TaskStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The same for a store that is shared.
    #[must_use]
    pub fn shared_store(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Keeps rate limits with `scope = "shared"` in this store, for the whole process.
    #[must_use]
    pub fn limit_store(mut self, store: Arc<dyn LimitStore>) -> Self {
        self.limit_store = Some(store);
        self
    }

    /// Keeps the entries of caches with `scope = "shared"` in this store, for the whole process.
    #[must_use]
    pub fn cache_store(mut self, store: Arc<dyn CacheStore>) -> Self {
        self.cache_store = Some(store);
        self
    }

    /// With these settings instead of the defaults. What the other methods set beats them, whatever is called first.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    fn edit(mut self, edit: impl FnOnce(&mut Settings) + Send + Sync + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Runs at most so many bodies at once in this process; 4 × cores unless set, at least 4.
    #[must_use]
    pub fn slots(self, slots: usize) -> Self {
        self.edit(move |it| it.slots = slots)
    }

    /// Serves only these queues in this process. The wiring of other queues' tasks is not checked.
    #[must_use]
    pub fn queues<T: Into<Name>>(self, queues: impl IntoIterator<Item = T>) -> Self {
        let queues = queues.into_iter().map(Into::into).collect();
        self.edit(move |it| it.queues = Some(queues))
    }

    /// Only submits: nothing is run here, so no dependency is needed.
    #[must_use]
    pub const fn submit_only(mut self) -> Self {
        self.submit_only = true;
        self
    }

    /// Sets limits of a queue; those that were set for it before and are not set here stay.
    #[must_use]
    pub fn queue(self, name: impl Into<Name>, settings: QueueSettings) -> Self {
        let name = name.into();
        self.edit(move |it| match it.store.queues.iter_mut().rfind(|it| it.0 == name) {
            Some((_, before)) => *before = settings.or(*before),
            None => it.store.queues.push((name, settings)),
        })
    }

    /// The tasks of a queue start at most so often, over all workers. Its other limits stay.
    #[must_use]
    pub fn queue_rate(self, name: impl Into<Name>, quota: Quota) -> Self {
        self.queue(name, QueueSettings::new().rate_limit(quota))
    }

    /// Overrides what the attribute of a definition says; what was overridden before and is not here stays.
    #[must_use]
    pub fn override_task(self, name: impl Into<Name>, overrides: TaskOverrides) -> Self {
        let name = name.into();
        self.edit(move |it| {
            let before = it.overrides.remove(&name).unwrap_or_default();
            it.overrides.insert(name, overrides.or(before));
        })
    }

    /// Overrides settings of a function policy, by its name and kind, before anything runs: what configuration calls
    /// `policies.user_profile.rate_limited.limit`. Settings that were overridden before and are not here stay.
    ///
    /// ```
    /// use ddd_core::{App, PolicyKind};
    ///
    /// let builder = App::builder().override_policy("user_profile", PolicyKind::RateLimited, [("limit", 60)]);
    /// # drop(builder);
    /// ```
    ///
    /// Policies belong to the process: see [`Settings::policies`]. [`policies()`](crate::policies) changes them later.
    #[must_use]
    pub fn override_policy<N: Into<String>, V: Into<serde_json::Value>>(
        self,
        name: impl Into<String>,
        kind: PolicyKind,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let name = name.into();
        let settings: Vec<_> = settings.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.edit(move |it| it.policies.entry(name).or_default().entry(kind).or_default().extend(settings))
    }

    /// How long one attempt may take, unless the task says otherwise; 300 s unless set.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.edit(move |it| it.timeout = timeout)
    }

    /// How tasks are retried, unless they say otherwise; not at all unless set.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        self.edit(move |it| it.retry = retry)
    }

    /// How much older a task must be to run before one whose priority is higher by one; 1 h unless set.
    #[must_use]
    pub fn rank_step(self, step: RankStep) -> Self {
        self.edit(move |it| it.store.rank_step = step)
    }

    /// Runs `hook` around every body: it is given the body's future, and returns one that ends as the body is to end. The
    /// hook given first is the outermost.
    ///
    /// ```
    /// # async fn example() -> Result<(), ddd_core::BuildError> {
    /// let app = ddd_core::App::builder()
    ///     .around(|context, body| {
    ///         Box::pin(async move {
    ///             let began = std::time::Instant::now();
    ///             let result = body.await;
    ///             println!("{} took {:?}", context.info().name, began.elapsed());
    ///             result
    ///         })
    ///     })
    ///     .build()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn around(mut self, hook: impl Fn(TaskContext, BodyFuture) -> BodyFuture + Send + Sync + 'static) -> Self {
        self.hooks.around(hook);
        self
    }

    /// Calls `hook` for every task whose last attempt failed in this process, when that is stored: on a thread of its own,
    /// so it may block, one failure after the other. A panic of the hook is logged. At most 10,000 failures wait to be told;
    /// a further one is logged and not told.
    #[must_use]
    pub fn on_failure(mut self, hook: impl Fn(&FailedTask) + Send + Sync + 'static) -> Self {
        self.hooks.on_failure(hook);
        self
    }

    /// Only these definitions, instead of all that are linked into the program.
    #[must_use]
    pub fn definitions(mut self, definitions: impl IntoIterator<Item = &'static Definition>) -> Self {
        self.definitions = Some(definitions.into_iter().collect());
        self
    }

    /// Reads the time from this clock; the system's unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// All that waits does so on the runtime that builds the application, so that a test can move its time.
    #[cfg(feature = "test-util")]
    pub(crate) const fn virtual_time(mut self) -> Self {
        self.virtual_time = true;
        self
    }

    /// Checks the wiring, and puts the application together. Nothing runs yet.
    ///
    /// The application provides itself: a body takes `#[inject] app: App` to submit tasks.
    ///
    /// # Errors
    /// Everything that is wrong, at once: names used twice, missing dependencies, settings out of range, schedules that
    /// cannot be read; or the store does not answer.
    pub async fn build(mut self) -> Result<App, BuildError> {
        // Known only afterwards, and not held: an application that held itself would never end.
        let built: Arc<std::sync::OnceLock<std::sync::Weak<Inner>>> = Arc::default();
        let app = built.clone();
        self.providers.factory_unless_provided(Factory::new(move |_| {
            let app = app.get().and_then(std::sync::Weak::upgrade).map(App);
            std::future::ready(app.ok_or_else(|| "the application has ended".into()))
        }));
        let app = self.assemble().await?;
        // Set once: nobody else knows the cell.
        let _ = built.set(Arc::downgrade(&app.0));
        Ok(app)
    }

    /// The same, and starts the workers: [`AppBuilder::build`], then [`App::start_workers`].
    ///
    /// # Errors
    /// As for both. What is wrong with the wiring is told before anything runs.
    pub async fn start(self) -> Result<App, BuildError> {
        let app = self.build().await?;
        app.start_workers().await?;
        Ok(app)
    }

    async fn assemble(mut self) -> Result<App, BuildError> {
        std::mem::take(&mut self.edits).into_iter().for_each(|it| it(&mut self.settings));
        let definitions = self.definitions.unwrap_or_else(linked);
        let mut problems = self.settings.problems();
        if cfg!(panic = "abort") {
            problems.push(
                "this program is built with `panic = \"abort\"`: a panic in one task would end all; remove the setting \
                 from the profile"
                    .to_owned(),
            );
        }
        let (registry, more) = Registry::collect(&definitions, &self.settings);
        problems.extend(more);
        problems.extend(wiring::schedule_problems(&definitions));
        problems.extend(wiring::queue_problems(&self.settings));
        let policies = policies();
        problems.extend(policies.problems());
        let lacking = [
            (PolicyKind::RateLimited, "limit_store", self.limit_store.is_some()),
            (PolicyKind::Cached, "cache_store", self.cache_store.is_some()),
        ];
        for (kind, method, _) in lacking.into_iter().filter(|it| !it.2) {
            problems.extend(wiring::shared_problems(&linked_policies(), kind, method));
        }
        if !self.submit_only {
            let served = wiring::served(&registry, &self.settings);
            let run_here = registry.iter().filter(|it| served.contains(&it.settings.queue));
            problems.extend(self.providers.problems(run_here.map(|it| it.definition)));
        }
        if problems.is_empty() {
            // Last, because they hold for the whole process from here on.
            problems = push_overrides(&policies, &self.settings.policies);
        }
        if !problems.is_empty() {
            return Err(BuildError::Wiring(problems));
        }
        self.limit_store.into_iter().for_each(set_limit_store);
        self.cache_store.into_iter().for_each(set_cache_store);
        let runtime = Handle::try_current().map_err(BuildError::of_runtime)?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryStore::with_clock(clock.clone())));
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
            queues,
            running: tokio::sync::Mutex::new(None),
            worker: Mutex::new(None),
            is_shut_down: AtomicBool::new(false),
            slots,
        })))
    }
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder").field("settings", &self.settings).field("providers", &self.providers).finish()
    }
}
