use std::{fmt, sync::Arc, time::Duration};

#[cfg(feature = "config")]
use super::reload_hooks::ReloadHook;
use super::{App, edit::Edit};
#[cfg(feature = "config")]
use crate::application::Configuration;
use crate::{
    application::{Factory, FailedTask, Hooks, Providers, Settings, TaskOverrides},
    domain::{Name, PolicyKind, Quota, RankStep, Retry},
    ports::{BodyFuture, CacheStore, Clock, Definition, LimitStore, QueueSettings, TaskContext, TaskStore},
};

/// Puts an application together: say what differs from the defaults, then [`AppBuilder::build`] or [`AppBuilder::start`] it.
pub struct AppBuilder {
    pub(super) settings: Settings,
    /// What differs from them, in order.
    pub(super) edits: Vec<Edit>,
    pub(super) providers: Providers,
    pub(super) hooks: Hooks,
    pub(super) store: Option<Arc<dyn TaskStore>>,
    pub(super) store_url: Option<String>,
    pub(super) limit_store: Option<Arc<dyn LimitStore>>,
    pub(super) cache_store: Option<Arc<dyn CacheStore>>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) definitions: Option<Vec<&'static Definition>>,
    pub(super) submit_only: bool,
    pub(super) virtual_time: bool,
    pub(super) reloads_on_hangup: bool,
    #[cfg(feature = "config")]
    pub(super) configuration: Option<Configuration>,
    #[cfg(feature = "config")]
    pub(super) reload_hooks: Vec<ReloadHook>,
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
            store_url: None,
            limit_store: None,
            cache_store: None,
            clock: None,
            definitions: None,
            submit_only: false,
            virtual_time: false,
            reloads_on_hangup: false,
            #[cfg(feature = "config")]
            configuration: None,
            #[cfg(feature = "config")]
            reload_hooks: Vec::new(),
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

    /// Keeps tasks in the store of this URL, such as `memory:`. A store that is given by [`AppBuilder::store`] beats it, and it
    /// beats the setting `store.url` of a configuration.
    ///
    /// What is wrong with the URL, building the application tells.
    ///
    /// ```
    /// # async fn example() -> Result<(), ddd_core::BuildError> {
    /// let app = ddd_core::App::builder().store_url("memory:").build().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn store_url(mut self, url: impl Into<String>) -> Self {
        self.store_url = Some(url.into());
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
        #[cfg(feature = "config")]
        {
            self.configuration = None;
        }
        self
    }

    fn edit(mut self, edit: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
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
        let queues: Vec<Name> = queues.into_iter().map(Into::into).collect();
        self.edit(move |it| it.queues = Some(queues.clone()))
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
            None => it.store.queues.push((name.clone(), settings)),
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
            it.overrides.insert(name.clone(), overrides.clone().or(before));
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
        self.edit(move |it| {
            let of_policy = it.policies.entry(name.clone()).or_default();
            of_policy.entry(kind).or_default().extend(settings.iter().cloned());
        })
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

    /// Reads the configuration again when the process gets SIGHUP, while [`App::run`] or a server of `ddd_web` runs: see
    /// `App::reload`. Unless this is said, SIGHUP ends the process, as it does by itself. It needs the feature `config`, and a
    /// system that has such signals.
    #[must_use]
    pub const fn reload_on_hangup(mut self) -> Self {
        self.reloads_on_hangup = true;
        self
    }

    /// Calls `hook` when the configuration is read again ([`App::reload`](crate::App::reload)), before anything changes: it
    /// looks at the new configuration and answers with what to do, which is done when all else holds as well. An error refuses
    /// the new configuration, and nothing changes.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
    /// use ddd_core::{App, Configuration};
    ///
    /// let most = Arc::new(AtomicUsize::new(100));
    /// let builder = App::builder().on_reload(move |configuration: &Configuration| {
    ///     let slots = configuration.settings().slots;
    ///     if slots > 1_000 {
    ///         return Err(format!("this machine has no room for {slots} bodies"));
    ///     }
    ///     let most = most.clone();
    ///     Ok(move || most.store(25 * slots, Ordering::Relaxed))
    /// });
    /// # drop(builder);
    /// ```
    #[cfg(feature = "config")]
    #[must_use]
    pub fn on_reload<P, E>(mut self, hook: impl Fn(&Configuration) -> Result<P, E> + Send + Sync + 'static) -> Self
    where
        P: FnOnce() + Send + 'static,
        E: fmt::Display,
    {
        self.reload_hooks.push(Box::new(move |configuration| match hook(configuration) {
            Ok(prepared) => Ok(Box::new(prepared)),
            Err(error) => Err(error.to_string()),
        }));
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
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder").field("settings", &self.settings).field("providers", &self.providers).finish()
    }
}
