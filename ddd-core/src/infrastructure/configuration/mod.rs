//! Where a configuration is read from: YAML files, `.env`, and the process's environment.

mod dotenv;
mod environment;
mod yaml;

pub(crate) use dotenv::dotenv;
pub(crate) use environment::{Variable, environment, process, variable};
pub(crate) use yaml::yaml;
