//! Where a server listens.

use std::net::SocketAddr;

use ddd_core::App;
use tokio::net::{TcpListener, ToSocketAddrs, lookup_host};

use super::error::ServeError;
use crate::exposure;

/// A listener on the first of the addresses that can be listened on.
pub(super) async fn bind(app: &App, address: impl ToSocketAddrs) -> Result<TcpListener, ServeError> {
    let addresses: Vec<SocketAddr> = lookup_host(address).await.map_err(ServeError::Address)?.collect();
    let reachable = addresses.iter().find(|it| !it.ip().to_canonical().is_loopback());
    if let Some(&address) = reachable
        && exposure::is_loopback_only(app)
    {
        return Err(ServeError::OpenToOthers { address });
    }
    let mut failed = ServeError::Address(std::io::ErrorKind::NotFound.into());
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(source) => failed = ServeError::Bind { address, source },
        }
    }
    Err(failed)
}
