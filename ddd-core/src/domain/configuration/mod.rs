//! What a configuration is: a tree of values, each of which knows where it came from, and what can be wrong with it.

mod node;
mod origin;
mod problem;

pub use node::{Node, NodeValue};
pub use origin::{ConfigurationLayer, ConfigurationOrigin};
pub use problem::ConfigurationProblem;
