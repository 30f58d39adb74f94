//! What the parts of a configuration make together.
//!
//! Read in this order: [`Configuration`], `read` (a tree becomes types of the program), `sections` (the framework's own
//! part), `explain`.

mod aliases;
mod differences;
mod explain;
mod gone;
mod layers;
mod misfit;
mod node_of;
mod read;
pub(in crate::application) mod reader;
mod schema;
mod secret;
mod sections;
mod service;
mod stand_ins;
mod unread;
mod untyped;
mod whole;

pub use explain::{Explained, ExplainedSetting};
pub use secret::Secret;
pub use whole::{Configuration, ConfigurationError, UndeclaredSection};

pub(crate) use layers::Layers;
pub(crate) use node_of::node_of;
pub(crate) use schema::schema as schema_of_settings;
pub(crate) use service::Declared;
pub(crate) use whole::{Broken, Source};
