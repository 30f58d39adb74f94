use std::{error::Error as _, fmt, io, net::SocketAddr};

/// A server that did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Everybody may do everything, and other machines can reach the address.
    #[error(
        "{address} can be reached from other machines, and an API of this application lets everybody do everything; serve on \
         127.0.0.1, or use `Access::api_keys`, or say `Access::open().on_any_address()`"
    )]
    #[non_exhaustive]
    OpenToOthers {
        /// The address.
        address: SocketAddr,
    },
    /// The address is none, or its name is not known.
    #[error("the address to listen on cannot be resolved; write a host and a port, such as `127.0.0.1:8000`")]
    Address(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on; is another process there already? port 0 takes any free one")]
    #[non_exhaustive]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system does not let the process listen for signals.
    #[error("the process cannot listen for signals; say when to end with `Server::until`")]
    Signals(#[source] io::Error),
}

/// As text, source included: this is what `main` prints when it returns the error.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut next = self.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}
