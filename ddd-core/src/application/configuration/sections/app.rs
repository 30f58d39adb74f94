use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the service is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AppSection {
    /// Its name, in logs and traces.
    pub(crate) name: Option<String>,
    /// Its version, in logs and traces.
    pub(crate) version: Option<String>,
    /// The profile: which file beside `default.yaml` counts. It is taken from the environment, not from files.
    pub(crate) environment: Option<String>,
    /// Whether it is being developed: unless `log` says otherwise, logs are for people, and tell what is for debugging.
    pub(crate) debug: Option<bool>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSection {
    /// `error`, `warn`, `info`, `debug` or `trace`; or directives such as `info,my_crate=debug`. Unless set, `debug` if
    /// `app.debug` is on, else `info`.
    pub(crate) level: Option<String>,
    /// `json` for machines, `pretty` for people. Unless set, `pretty` if `app.debug` is on or the profile is `development`,
    /// else `json`.
    pub(crate) format: Option<LogFormat>,
}

/// The form of logs: the setting `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people. The original's `console`.
    #[serde(alias = "console")]
    Pretty,
}

impl LogFormat {
    pub(in crate::application::configuration) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Pretty => "pretty",
        }
    }
}

impl LogSection {
    /// Becomes what follows from `said` and the other settings.
    pub(in crate::application::configuration) fn complete(&mut self, said: &Self, debug: Option<bool>, profile: &str) {
        self.level = Some(said.level(debug).to_owned());
        self.format = Some(said.format(debug, profile));
    }

    pub(in crate::application::configuration) fn level(&self, debug: Option<bool>) -> &str {
        let unless_set = if debug == Some(true) { "debug" } else { "info" };
        self.level.as_deref().unwrap_or(unless_set)
    }

    pub(in crate::application::configuration) fn format(&self, debug: Option<bool>, profile: &str) -> LogFormat {
        let is_for_people = debug == Some(true) || profile == "development";
        self.format.unwrap_or(if is_for_people { LogFormat::Pretty } else { LogFormat::Json })
    }
}

/// Where tasks are kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreSection {
    /// `memory:`, or the URL of a store.
    pub(crate) url: Option<String>,
}

impl StoreSection {
    const URL: &str = "memory:";

    pub(super) fn defaults() -> Self {
        Self { url: Some(Self::URL.to_owned()) }
    }

    pub(in crate::application::configuration) fn url(&self) -> &str {
        self.url.as_deref().unwrap_or(Self::URL)
    }
}
