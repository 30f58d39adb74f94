//! The HTTP layer of `ddd-core`: task and health routes for an axum application.
//!
//! This release holds its place in the workspace and nothing more: the routes come with the next one.
