//! Who may do what over HTTP.

mod api_keys;
mod caller;
mod cross_site;
mod error;
mod foreign_host;
mod permission;

use axum::http::{HeaderMap, request::Parts};

pub use api_keys::ApiKey;
pub use caller::Caller;
pub use error::AccessError;
pub use permission::Permission;

use api_keys::ApiKeys;
use permission::Permissions;

/// Who may use an [`Api`](crate::Api). It has to be said: there is no default.
#[derive(Debug)]
pub struct Access {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Open { on_any_address: bool },
    ApiKeys(ApiKeys),
}

impl Access {
    /// Everybody may do everything: for development, and behind something else that decides.
    ///
    /// [`Api::serve`](crate::Api::serve) then refuses to listen on an address that other machines can reach, and the API
    /// answers no request for a host that is neither an address nor `localhost`, unless [`Access::on_any_address`] is said too.
    #[must_use]
    pub const fn open() -> Self {
        Self { way: Way::Open { on_any_address: false } }
    }

    /// Open on every address: whoever reaches the service may submit, cancel and delete tasks.
    #[must_use]
    pub const fn on_any_address(mut self) -> Self {
        if let Way::Open { on_any_address } = &mut self.way {
            *on_any_address = true;
        }
        self
    }

    /// Those who send one of these keys, each with its own permissions.
    ///
    /// # Errors
    /// What is wrong with the keys, all at once.
    pub fn api_keys(keys: impl IntoIterator<Item = ApiKey>) -> Result<Self, AccessError> {
        Ok(Self { way: Way::ApiKeys(ApiKeys::new(keys.into_iter().collect())?) })
    }

    /// Whether it may only be served where no other machine can reach it.
    #[must_use]
    pub const fn is_for_loopback_only(&self) -> bool {
        matches!(self.way, Way::Open { on_any_address: false })
    }

    /// Who makes a request with these headers; `None` if that is not known.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        match &self.way {
            Way::Open { .. } => Some(Caller::anonymous(Permissions::EVERYTHING)),
            Way::ApiKeys(keys) => keys.caller(headers).cloned(),
        }
    }

    /// Whether a request that changes something must be refused, because a page of another site sends it, and nothing else
    /// than the page's being open on this machine lets it in.
    pub(crate) fn is_forged(&self, headers: &HeaderMap) -> bool {
        matches!(self.way, Way::Open { .. }) && cross_site::is_cross_site(headers)
    }

    /// Whether a request must be refused because the name that it is for may be one that a stranger has pointed at this machine.
    pub(crate) fn is_for_foreign_host(&self, request: &Parts) -> bool {
        self.is_for_loopback_only() && foreign_host::is_for_foreign_host(&request.uri, &request.headers)
    }

    /// Somebody who may do nothing.
    pub(crate) fn stranger() -> Caller {
        Caller::anonymous(Permissions::default())
    }
}
