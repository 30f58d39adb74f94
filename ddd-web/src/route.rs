use std::{fmt, pin::Pin, sync::Arc};

use axum::http::Method;

use crate::{
    access::Permission,
    request::{Answer, Call},
    state::State,
};

/// Answers the requests of a route.
pub(crate) type Handler = fn(Arc<State>, Call) -> Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A row of the route table.
#[non_exhaustive]
pub struct Route {
    /// The method. `HEAD` is answered wherever `GET` is.
    pub method: Method,
    /// The path below where the routes are nested, its parameters in braces. With a slash at its end it is the same route.
    pub path: &'static str,
    /// What a caller must be allowed to; `None` for what everybody may ask.
    pub permission: Option<Permission>,
    /// What it is for.
    pub summary: &'static str,
    pub(crate) handler: Handler,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permission = self.permission.map_or("everybody", Permission::as_str);
        write!(f, "{:<6} {:<34} {permission:<20} {}", self.method.as_str(), self.path, self.summary)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, permission, summary, .. } = self;
        f.debug_struct("Route")
            .field("method", method)
            .field("path", path)
            .field("permission", permission)
            .field("summary", summary)
            .finish()
    }
}
