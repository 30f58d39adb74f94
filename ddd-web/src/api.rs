use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::Router;
use ddd_core::{App, Quota, ShutdownReport};
use tokio::net::ToSocketAddrs;

use crate::{
    access::Access,
    exposure,
    request::Endpoint,
    route::Route,
    route_table,
    serve::{self, ServeError},
    settings::Settings,
    state::State,
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

    /// Serves the routes under `/api/v1`, where there is nothing else to serve, until the process is told to end: see
    /// [`serve`](crate::serve()).
    ///
    /// # Errors
    /// The address cannot be listened on; or other machines can reach it, and everybody may do everything.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> Result<ShutdownReport, ServeError> {
        serve::serve(&self.settings.app, Router::new().nest("/api/v1", self.routes()), address).await
    }

    /// Every route, in the order of the documentation. Each prints as a line.
    #[must_use]
    pub fn route_table() -> &'static [Route] {
        route_table::ROUTES
    }
}
