//! The settings of a server and its routes, as sections of a configuration.

use std::{sync::Arc, time::Duration};

use ddd_core::{
    Configuration, ConfigurationBuilder, Quota, UndeclaredSection,
    as_written::{self, DurationSchema, SizeSchema},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{api::Api, serve::Server};

/// The settings of a server and its routes: the sections `server`, `api` and `health` of a configuration.
///
/// ```no_run
/// use axum::Router;
/// use ddd_core::{App, Configuration};
/// use ddd_web::{Access, Api, Server, WebSettings};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let configuration = WebSettings::declare(Configuration::builder()).load()?;
/// let web = WebSettings::of(&configuration)?;
/// let app = App::builder().configuration(&configuration).start().await?;
/// let api = Api::new(&app, Access::open()).settings(&web);
/// let router = Router::new().nest(web.prefix(), api.routes());
/// Server::new(&app, router).settings(&web).serve(web.address()).await?;
/// # Ok(()) }
/// ```
///
/// They hold from the start of the program to its end: a reload that changes one of them is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSettings {
    /// Where it listens, and what clients can take.
    pub server: Arc<ServerSettings>,
    /// The routes of the [`Api`].
    pub api: Arc<ApiSettings>,
    /// What `/health` says when.
    pub health: Arc<HealthSettings>,
}

/// The section `server`: where it listens, and what clients can take.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, garde::Validate)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ServerSettings {
    /// The address to listen on.
    #[garde(length(min = 1))]
    pub host: String,
    /// The port to listen on; 0 takes any free one.
    #[garde(skip)]
    pub port: u16,
    /// How many connections there are at a time.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    pub max_connections: usize,
    /// How large the head of a request may be, at least 8 KiB.
    #[serde(with = "as_written::size")]
    #[garde(range(min = 8 << 10))]
    #[schemars(with = "SizeSchema")]
    pub max_header_bytes: usize,
    /// In what time the head of a request must arrive.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub header_timeout: Duration,
    /// How large the body of a request may be.
    #[serde(with = "as_written::size")]
    #[garde(skip)]
    #[schemars(with = "SizeSchema")]
    pub max_body_bytes: usize,
    /// In what time the body of a request must arrive.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub body_timeout: Duration,
    /// In what time a request must be answered.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub request_timeout: Duration,
    /// How long a connection may be silent between two requests.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what it is sent.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub write_timeout: Duration,
    /// Whether answers are compressed.
    #[garde(skip)]
    pub compress: bool,
    /// In what time it must be done when it is told to end.
    #[serde(with = "as_written::duration")]
    #[garde(skip)]
    #[schemars(with = "DurationSchema")]
    pub shutdown_timeout: Duration,
    /// How long it goes on with readiness down when it is told to end.
    #[serde(with = "as_written::duration")]
    #[garde(skip)]
    #[schemars(with = "DurationSchema")]
    pub drain_delay: Duration,
}

/// The section `api`: the routes of the [`Api`].
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, garde::Validate)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ApiSettings {
    /// The path below which the routes lie.
    #[garde(custom(is_path))]
    pub prefix: String,
    /// How large the body of a submission may be.
    #[serde(with = "as_written::size")]
    #[garde(range(min = 1))]
    #[schemars(with = "SizeSchema")]
    pub max_submit_bytes: usize,
    /// How often one caller may submit; as often as it likes unless set.
    #[garde(dive)]
    pub submit_limit: Option<SubmitLimit>,
    /// How many streams of events are open at a time.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    pub max_streams: usize,
    /// After what time a stream ends, so that its client comes again.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub stream_time: Duration,
}

/// How often one caller may submit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubmitLimit {
    /// How often in one period.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    pub limit: u32,
    /// The period; 1 min unless set.
    #[serde(default = "minute", with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "Option<DurationSchema>")]
    pub per: Duration,
}

/// The section `health`: what `/health` says when.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, garde::Validate)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HealthSettings {
    /// How long one check may take.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub timeout: Duration,
    /// From which age of the oldest ready task of a queue on it says `degraded`.
    #[serde(with = "as_written::duration")]
    #[garde(custom(positive))]
    #[schemars(with = "DurationSchema")]
    pub queue_age_limit: Duration,
    /// From which part of failed runs on it says `degraded`.
    #[garde(range(min = 0.0, max = 1.0))]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub failed_ratio_limit: f64,
}

const MINUTE: Duration = Duration::from_secs(60);

const fn minute() -> Duration {
    MINUTE
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
fn positive(duration: &Duration, _: &()) -> garde::Result {
    if duration.is_zero() { Err(garde::Error::new("it is zero; write at least 1ms")) } else { Ok(()) }
}

/// What a router can be nested under.
#[allow(clippy::ptr_arg, reason = "the signature that garde calls")]
fn is_path(path: &String, _: &()) -> garde::Result {
    let is_path =
        path.len() > 1 && path.starts_with('/') && !path.ends_with('/') && !path.contains(['*', '{', '}', ' ']);
    if is_path { Ok(()) } else { Err(garde::Error::new("it is no path; write one such as `/api/v1`")) }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8_000,
            max_connections: 1_000,
            max_header_bytes: 16 << 10,
            header_timeout: Duration::from_secs(10),
            max_body_bytes: 16 << 20,
            body_timeout: Duration::from_secs(30),
            request_timeout: MINUTE,
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            compress: true,
            shutdown_timeout: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
        }
    }
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            prefix: "/api/v1".to_owned(),
            max_submit_bytes: 64 << 10,
            submit_limit: None,
            max_streams: 100,
            stream_time: 15 * MINUTE,
        }
    }
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), queue_age_limit: 5 * MINUTE, failed_ratio_limit: 0.5 }
    }
}

impl WebSettings {
    /// Declares the sections to the builder of a configuration, and the variables that the original had for their settings.
    #[must_use]
    pub fn declare(builder: ConfigurationBuilder) -> ConfigurationBuilder {
        builder
            .fixed_section::<ServerSettings>("server")
            .fixed_section::<ApiSettings>("api")
            .fixed_section::<HealthSettings>("health")
            .variable("HOST", "server.host")
            .variable("PORT", "server.port")
            .variable("API_PREFIX", "api.prefix")
            .variable("HEALTH_CHECK_TIMEOUT", "health.timeout")
    }

    /// The settings that a configuration holds.
    ///
    /// # Errors
    /// [`WebSettings::declare`] did not declare the sections.
    pub fn of(configuration: &Configuration) -> Result<Self, UndeclaredSection> {
        let (server, api, health) = (configuration.section()?, configuration.section()?, configuration.section()?);
        Ok(Self { server, api, health })
    }

    /// Where to listen: `server.host` and `server.port`.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.server.host, self.server.port)
    }

    /// The path to nest the routes under: `api.prefix`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.api.prefix
    }
}

impl Api {
    /// With the settings of a configuration, the sections `api` and `health`. What other methods set afterwards beats them.
    #[must_use]
    pub fn settings(self, settings: &WebSettings) -> Self {
        let (api, health) = (&settings.api, &settings.health);
        let quota = api.submit_limit.and_then(|it| Quota::new(it.limit, it.per));
        let with = self
            .submit_body_limit(api.max_submit_bytes)
            .stream_limits(api.max_streams, api.stream_time)
            .check_timeout(health.timeout)
            .queue_age_limit(health.queue_age_limit)
            .failed_ratio_limit(health.failed_ratio_limit);
        quota.into_iter().fold(with, Self::submit_limit)
    }
}

impl Server {
    /// With the settings of a configuration, the section `server`; where to listen is [`WebSettings::address`]. What other methods
    /// set afterwards beats them.
    pub fn settings(self, settings: &WebSettings) -> Self {
        let server = &settings.server;
        self.max_connections(server.max_connections)
            .max_header_bytes(server.max_header_bytes)
            .header_timeout(server.header_timeout)
            .max_body_bytes(server.max_body_bytes.try_into().unwrap_or(u64::MAX))
            .body_timeout(server.body_timeout)
            .request_timeout(server.request_timeout)
            .idle_timeout(server.idle_timeout)
            .write_timeout(server.write_timeout)
            .compress(server.compress)
            .shutdown_timeout(server.shutdown_timeout)
            .drain_delay(server.drain_delay)
    }
}
