//! Puts a configuration together from files, the environment and code.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::AppBuilder;
use crate::{
    application::{Broken, Configuration, ConfigurationError, Declared, Layers, Source, node_of, schema_of_settings},
    domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, Node, NodeValue},
    infrastructure::configuration::{Variable, dotenv, environment, process, variable, yaml},
};

/// A file of settings that is longer is a mistake.
const LONGEST_FILE: u64 = 1 << 20;

/// Says where a configuration comes from.
#[derive(Clone)]
pub struct ConfigurationBuilder {
    directory: PathBuf,
    dotenv: Option<PathBuf>,
    profile: Option<String>,
    environment: Option<Vec<(String, String)>>,
    code: Vec<(String, Result<serde_json::Value, String>)>,
    declared: Vec<Declared>,
    /// Variables of the service's own choice, and the settings that they are.
    variables: Vec<(String, String)>,
}

impl Configuration {
    /// The configuration of this process: defaults, `config/default.yaml`, `config/{profile}.yaml`, `.env`, the
    /// environment; each beats those before it.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load() -> Result<Self, ConfigurationError> {
        Self::builder().load()
    }

    /// The same; and what is left of it, if it does not hold.
    pub(super) fn load_or_rest() -> Result<Self, Box<Broken>> {
        load(&Arc::new(Self::builder()))
    }

    /// Says what differs: other places, settings by code, sections of the service's own.
    #[must_use]
    pub fn builder() -> ConfigurationBuilder {
        ConfigurationBuilder {
            directory: "config".into(),
            dotenv: Some(".env".into()),
            profile: None,
            environment: None,
            code: Vec::new(),
            declared: Vec::new(),
            variables: Vec::new(),
        }
    }
}

impl ConfigurationBuilder {
    /// Reads the YAML files of this directory; `config` unless set. Files that are not there are no mistake.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Reads this file of variables instead of `.env`.
    #[must_use]
    pub fn dotenv(mut self, file: impl Into<PathBuf>) -> Self {
        self.dotenv = Some(file.into());
        self
    }

    /// Reads no file of variables.
    #[must_use]
    pub fn without_dotenv(mut self) -> Self {
        self.dotenv = None;
        self
    }

    /// With this profile. Unless set, the variables `DDD_PROFILE` and `ENVIRONMENT` say it; else it is `development`.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// With these variables instead of those of the process.
    #[must_use]
    pub fn environment<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.environment = Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Sets a setting, its parts joined by dots: `.set("tasks.max_workers", 8)`. It beats all other sources.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).map_err(|it| it.to_string());
        self.code.push((key.into(), value));
        self
    }

    /// Takes the variable `variable` for the setting `setting`, its parts joined by dots: `.variable("PORT", "server.port")`.
    /// The variable that begins with `DDD__` beats it.
    #[must_use]
    pub fn variable(mut self, variable: impl Into<String>, setting: impl Into<String>) -> Self {
        self.variables.push((variable.into(), setting.into()));
        self
    }

    /// Declares a section of the service's own: it is read and checked with all others, and
    /// [`Configuration::section`] gives it. A struct that denies unknown fields tells of misspelt settings.
    #[must_use]
    pub fn section<T>(mut self, name: &str) -> Self
    where
        T: DeserializeOwned + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        self.declared.push(Declared::new::<T>(name));
        self
    }

    /// Declares a section that holds from the start of the program to its end: a reload that changes it is refused, and what it
    /// does not say is explained as its default.
    #[must_use]
    pub fn fixed_section<T>(mut self, name: &str) -> Self
    where
        T: DeserializeOwned + Serialize + JsonSchema + Default + garde::Validate<Context = ()> + Send + Sync + 'static,
    {
        self.declared.push(Declared::fixed::<T>(name));
        self
    }

    /// The JSON Schema of the files of settings, for editors: of the framework's sections and of those that are declared as
    /// [fixed](Self::fixed_section). Others may stand beside them.
    #[must_use]
    pub fn schema(&self) -> serde_json::Value {
        schema_of_settings(&self.declared)
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(self) -> Result<Configuration, ConfigurationError> {
        load(&Arc::new(self)).map_err(|it| it.error)
    }

    fn read(&self) -> Result<Configuration, Box<Broken>> {
        let mut layers = Layers::default();
        let process = match &self.environment {
            Some(variables) => variables.iter().map(|(name, value)| variable(name.clone(), value.clone())).collect(),
            None => process(),
        };
        let development = match &self.dotenv {
            Some(file) => read_dotenv(file, &mut layers),
            None => Vec::new(),
        };
        let profile = self.profile.clone().unwrap_or_else(|| profile(&process, &development));
        if is_file_name(&profile) {
            let files = [("default", ConfigurationLayer::DefaultFile), (&profile, ConfigurationLayer::ProfileFile)];
            for (name, layer) in files {
                read_yaml(&self.directory.join(format!("{name}.yaml")), layer, &mut layers);
            }
        } else {
            let message = format!("the profile `{profile}` is no name; write letters, digits, `-` and `_`");
            layers.problem(ConfigurationProblem::new(None, "", message));
        }
        self.lay_variables(development, &mut layers);
        self.lay_variables(process, &mut layers);
        lay_code(&self.code, &mut layers);
        Configuration::of(&profile, layers, &self.declared)
    }

    /// The canonical name is the more deliberate one, so it is laid over the others.
    fn lay_variables(&self, variables: Vec<Variable>, layers: &mut Layers) {
        let (canonical, others) = environment(variables, ConfigurationOrigin::code());
        for it in others {
            let value = Node::new(NodeValue::Untyped(it.value), it.origin);
            match self.variables.iter().find(|own| own.0 == it.name) {
                Some((_, setting)) => layers.lay_setting(setting, value),
                None => layers.lay_variable(&it.name, value, &self.declared),
            }
        }
        layers.lay(canonical);
    }
}

/// Reads everything, and keeps what it was read with, to read it again.
fn load(builder: &Arc<ConfigurationBuilder>) -> Result<Configuration, Box<Broken>> {
    let again = builder.clone();
    let source: Source = Arc::new(move || load(&again).map_err(|it| it.error));
    Ok(builder.read()?.from(source))
}

impl AppBuilder {
    /// With the settings of this configuration, instead of all that [`AppBuilder::settings`] set. What the other methods set beats them, whatever is called first.
    #[must_use]
    pub fn configuration(self, configuration: &Configuration) -> Self {
        let mut builder = self.settings(configuration.settings().clone());
        builder.configuration = Some(configuration.clone());
        builder
    }
}

/// Which profile the variables say, the process's first.
fn profile(process: &[Variable], development: &[Variable]) -> String {
    let said = |name: &str| {
        let all = process.iter().chain(development);
        all.filter(|it| it.name == name && !it.value.is_empty()).map(|it| it.value.clone()).next()
    };
    said("DDD_PROFILE").or_else(|| said("ENVIRONMENT")).unwrap_or_else(|| "development".to_owned())
}

/// A profile becomes part of a path.
fn is_file_name(profile: &str) -> bool {
    !profile.is_empty() && profile.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'))
}

/// The text of a file; `None` if there is no such file, or if it cannot be read, which is told.
fn text_of(file: &Path, layer: ConfigurationLayer, layers: &mut Layers) -> Option<(String, Arc<str>)> {
    let place: Arc<str> = file.display().to_string().into();
    let is_too_long = std::fs::metadata(file).is_ok_and(|it| it.len() > LONGEST_FILE);
    let problem = match std::fs::read_to_string(file) {
        _ if is_too_long => "the file is longer than 1 MiB, which can only be a mistake".to_owned(),
        Ok(text) => return Some((text, place)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => format!("the file cannot be read: {error}"),
    };
    let origin = ConfigurationOrigin::new(layer, place, None);
    layers.problem(ConfigurationProblem::new(Some(origin), "", problem));
    None
}

fn read_yaml(file: &Path, layer: ConfigurationLayer, layers: &mut Layers) {
    if let Some((text, place)) = text_of(file, layer, layers) {
        let read = yaml(&text, layer, &place);
        layers.lay(read.root);
        layers.remark(read.remarks);
        read.breaks.into_iter().for_each(|(section, it)| layers.problem_in(section, it));
    }
}

fn read_dotenv(file: &Path, layers: &mut Layers) -> Vec<Variable> {
    let Some((text, place)) = text_of(file, ConfigurationLayer::Dotenv, layers) else { return Vec::new() };
    let (variables, problems) = dotenv(&text, &place);
    problems.into_iter().for_each(|it| layers.problem(it));
    variables
}

fn lay_code(code: &[(String, Result<serde_json::Value, String>)], layers: &mut Layers) {
    let origin = ConfigurationOrigin::code();
    let mut tree = Node::empty(origin.clone());
    for (key, value) in code {
        match value {
            Ok(value) => tree.put(key.split('.'), node_of(value.clone(), &origin)),
            Err(error) => {
                let message = format!("the value cannot be written as JSON: {error}");
                layers.problem(ConfigurationProblem::new(Some(origin.clone()), key.clone(), message));
            }
        }
    }
    layers.lay(tree);
}

impl fmt::Debug for ConfigurationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_struct("ConfigurationBuilder")
            .field("directory", &self.directory)
            .field("profile", &self.profile)
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}
