use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use ddd_core::{App, ShutdownReport};
use tokio::net::ToSocketAddrs;

use crate::{
    access::Access,
    exposure,
    request::{Endpoint, RequestIds},
    route::Route,
    route_table,
    serve::{self, ServeError},
    state::State,
    stream::{StreamLimits, Streams},
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
    state: Arc<State>,
}

impl Api {
    /// The interface of `app` for those whom `access` lets in.
    #[must_use]
    pub fn new(app: &App, access: Access) -> Self {
        Self {
            state: Arc::new(State {
                app: app.clone(),
                access,
                request_ids: RequestIds::default(),
                streams: Streams::new(app, StreamLimits::default()),
            }),
        }
    }

    /// The routes, to nest under a path such as `/api/v1`, in a router with any state.
    ///
    /// What is below that path and no route gets a problem document; the router's own fallback answers elsewhere.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        if self.state.access.is_for_loopback_only() {
            exposure::note_loopback_only(&self.state.app);
        }
        let mut paths = BTreeMap::<&'static str, Vec<&'static Route>>::new();
        for route in route_table::ROUTES {
            paths.entry(route.path).or_default().push(route);
        }
        let mut router = Router::new();
        for (path, routes) in paths {
            let endpoint = Endpoint::new(self.state.clone(), routes);
            router = router.route_service(&format!("{path}/"), endpoint.clone()).route_service(path, endpoint);
        }
        router.fallback_service(Endpoint::new(self.state.clone(), Vec::new()))
    }

    /// Serves the routes under `/api/v1`, where there is nothing else to serve, until the process is told to end: see
    /// [`serve`](crate::serve()).
    ///
    /// # Errors
    /// The address cannot be listened on; or other machines can reach it, and everybody may do everything.
    pub async fn serve(&self, address: impl ToSocketAddrs) -> Result<ShutdownReport, ServeError> {
        serve::serve(&self.state.app, Router::new().nest("/api/v1", self.routes()), address).await
    }

    /// Every route, in the order of the documentation. Each prints as a line.
    #[must_use]
    pub fn route_table() -> &'static [Route] {
        route_table::ROUTES
    }
}
