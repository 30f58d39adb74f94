use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::Router;
use ddd_core::{App, Quota, ShutdownReport};
use tokio::net::ToSocketAddrs;

use crate::{
    access::Access,
    exposure,
    health::Check,
    request::{Endpoint, RequestLayer},
    route::Route,
    route_table,
    serve::{self, ServeError},
    settings::Settings,
    state::State,
    stream::StreamLimits,
};

/// The HTTP interface of an application: task, queue, schedule and health routes, to nest into a router of your own.
///
/// ```
/// use axum::{Router, routing::get};
/// use ddd_core::App;
/// use ddd_web::{Access, Api};
///
/// #[derive(Clone)]
/// struct Shop;
///
/// # async fn example() -> Result<(), ddd_core::BuildError> {
/// let app = App::start().await?;
/// let api = Api::new(&app, Access::open());
/// let router: Router = Router::new()
///     .route("/orders", get(async || "none"))
///     .nest("/api/v1", api.routes())
///     .layer(api.layer())
///     .with_state(Shop);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Api {
    settings: Settings,
    /// Made with the first routes; those of one interface share it.
    state: OnceLock<Arc<State>>,
}

impl Api {
    /// The interface of `app` for those whom `access` lets in.
    #[must_use]
    pub fn new(app: &App, access: Access) -> Self {
        Self { settings: Settings::new(app.clone(), access), state: OnceLock::new() }
    }

    /// Takes bodies of at most so many bytes for submissions; 64 KiB unless set. Parameters are bounded by the application's
    /// own limit as well, 1 MiB unless set.
    #[must_use]
    pub fn submit_body_limit(self, bytes: usize) -> Self {
        self.with(|it| it.submit_body = bytes)
    }

    /// Lets each caller submit at most so often: more is answered with 429. Without a limit unless set.
    ///
    /// All who are not told apart, such as those of [`Access::open`], are one caller.
    #[must_use]
    pub fn submit_limit(self, quota: Quota) -> Self {
        self.with(|it| it.submissions = Some(quota))
    }

    /// Adds a check of your own to `/health` and `/health/ready`: an error means that the service does not work.
    ///
    /// All checks are made at once, each within [`Api::check_timeout`], and at most once a second. The text of an error is shown
    /// to those who may observe. Another check of the same name, such as `store`, is replaced.
    ///
    /// ```
    /// # use ddd_core::App;
    /// # use ddd_web::{Access, Api};
    /// # fn example(app: &App) -> Api {
    /// Api::new(app, Access::open()).check("disk", || async {
    ///     match std::fs::metadata("/var/lib/shop") {
    ///         Ok(_) => Ok(()),
    ///         Err(error) => Err(error),
    ///     }
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn check<F, E>(self, name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let check = Check::new(name.into(), check);
        self.with(|it| it.checks.push(check))
    }

    /// How long one check may take; 5 s unless set.
    #[must_use]
    pub fn check_timeout(self, timeout: Duration) -> Self {
        self.with(|it| it.check_timeout = timeout)
    }

    /// From which age of the oldest ready task of a queue on `/health` says `degraded`; 5 min unless set.
    #[must_use]
    pub fn queue_age_limit(self, age: Duration) -> Self {
        self.with(|it| it.thresholds.queue_age = age)
    }

    /// From which part of failed runs on, of those that ended in the last 24 hours, `/health` says `degraded`; 0.5 unless set.
    /// Fewer than 10 runs do not count.
    #[must_use]
    pub fn failed_ratio_limit(self, ratio: f64) -> Self {
        self.with(|it| it.thresholds.failed_ratio = ratio)
    }

    /// The version of the service, for `/health`.
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        let version = version.into();
        self.with(|it| it.version = Some(version))
    }

    /// At most `most` streams are open at a time, each for at most `longest`; 100 and 15 min unless set. One more is answered with
    /// 503, and the client of one that has ended comes again by itself.
    #[must_use]
    pub fn stream_limits(self, most: usize, longest: Duration) -> Self {
        self.with(|it| it.streams = StreamLimits::new(most, longest))
    }

    /// Begins a trace of its own with each request, whatever `traceparent` it carries. Unless set, the traces of known callers go
    /// on here, and whether they are recorded is what the header says.
    ///
    /// It is for services that strangers reach: with [`Access::open`] everybody is a known caller.
    #[must_use]
    pub fn own_traces(self) -> Self {
        self.with(|it| it.own_traces = true)
    }

    /// Changes a setting: of the routes that are made from now on.
    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings;
        change(&mut settings);
        Self { settings, state: OnceLock::new() }
    }

    fn state(&self) -> &Arc<State> {
        self.state.get_or_init(|| Arc::new(State::new(&self.settings)))
    }

    /// The routes, to nest under a path such as `/api/v1`, in a router with any state.
    ///
    /// What is below that path and no route gets a problem document; the router's own fallback answers elsewhere.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let state = self.state();
        if state.access.is_for_loopback_only() {
            exposure::note_loopback_only(&state.app);
        }
        let mut paths = BTreeMap::<&'static str, Vec<&'static Route>>::new();
        for route in route_table::ROUTES {
            paths.entry(route.path).or_default().push(route);
        }
        let mut router = Router::new();
        for (path, routes) in paths {
            let endpoint = Endpoint::new(state.clone(), routes);
            router = router.route_service(&format!("{path}/"), endpoint.clone()).route_service(path, endpoint);
        }
        router.fallback_service(Endpoint::new(state.clone(), Vec::new()))
    }

    /// Gives every route of a router what those of this interface have: the id of the request in `X-Request-Id`, in each line
    /// that is logged meanwhile and in the tasks that the handler submits, whose trace goes on, too; a line in the log and the
    /// metrics of each request; and a problem document where a handler panics. It asks nobody who they are.
    ///
    /// Add it with [`Router::layer`] after the routes, this interface's own among them: they tell of each request once all the
    /// same. What a handler spawns is no longer a part of its request.
    ///
    /// ```
    /// # use axum::{Router, routing::post};
    /// # use ddd_core::App;
    /// # use ddd_web::{Access, Api};
    /// # async fn order() {}
    /// # fn example(api: &Api) -> Router {
    /// Router::new().route("/orders", post(order)).nest("/api/v1", api.routes()).layer(api.layer())
    /// # }
    /// ```
    #[must_use]
    pub fn layer(&self) -> RequestLayer {
        RequestLayer::new(self.state().clone())
    }

    /// Serves the routes under `/api/v1`, where there is nothing else to serve, until the process is told to end: see
    /// [`serve`](crate::serve()).
    ///
    /// # Errors
    /// The address cannot be listened on; or other machines can reach it, and everybody may do everything.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> Result<ShutdownReport, ServeError> {
        let router = Router::new().nest("/api/v1", self.routes()).layer(self.layer());
        serve::serve(&self.settings.app, router, address).await
    }

    /// Every route, in the order of the documentation. Each prints as a line.
    #[must_use]
    pub fn route_table() -> &'static [Route] {
        route_table::ROUTES
    }
}
