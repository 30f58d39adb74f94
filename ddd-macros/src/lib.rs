//! The attributes of `ddd-core`, which re-exports and documents them.

use proc_macro::TokenStream;

mod duration;
mod errors;
mod name;
mod options;
mod policies;
mod signature;
mod suggest;
mod task;
#[cfg(test)]
mod tests;

// Documented on its re-export in `ddd-core`, where the examples can be compiled.
#[allow(missing_docs, reason = "the documentation stands on the re-export")]
#[proc_macro_attribute]
pub fn task(args: TokenStream, item: TokenStream) -> TokenStream {
    task::attribute(args.into(), &item.into()).into()
}

macro_rules! policies {
    ($($name:ident $kind:ident),*) => {
        $(
            #[allow(missing_docs, reason = "the documentation stands on the re-export")]
            #[proc_macro_attribute]
            pub fn $name(args: TokenStream, item: TokenStream) -> TokenStream {
                policies::attribute(policies::Kind::$kind, args.into(), &item.into()).into()
            }
        )*
    };
}
policies!(
    cached Cached,
    rate_limited RateLimited,
    retry Retry,
    circuit_breaker CircuitBreaker,
    timeout Timeout,
    bulkhead Bulkhead
);
