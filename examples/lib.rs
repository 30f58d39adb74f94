//! Unpublished package of the workspace.
