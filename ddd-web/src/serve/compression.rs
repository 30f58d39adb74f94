//! Which answers are compressed.

use axum::{
    Router,
    http::{HeaderMap, header::ACCEPT_ENCODING},
};
use tower::Layer as _;
use tower_http::compression::{
    Compression, CompressionLayer,
    predicate::{And, NotForContentType, Predicate as _, SizeAbove},
};

/// A shorter answer only grows.
const SHORTEST: u64 = 256;

type Worthwhile = And<And<And<SizeAbove, NotForContentType>, NotForContentType>, NotForContentType>;

/// The router with its answers compressed by gzip: not those below 256 bytes, no event streams, no images.
pub(super) type Compressed = Compression<Router, Worthwhile>;

pub(super) fn compressed(router: Router) -> Compressed {
    let worthwhile = SizeAbove::new(SHORTEST)
        .and(NotForContentType::SSE)
        .and(NotForContentType::GRPC)
        .and(NotForContentType::IMAGES);
    CompressionLayer::new().compress_when(worthwhile).layer(router)
}

/// Whether a client may take gzip. What exactly it says is looked at later; most requests say nothing and are spared that.
pub(super) fn may_take_gzip(headers: &HeaderMap) -> bool {
    headers.contains_key(ACCEPT_ENCODING)
}
