use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use ddd_core::{Configuration, ConfigurationBuilder, ConfigurationError};

/// A folder of its own with a configuration in it; gone at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ddd-configuration-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.0.join(name), text).unwrap();
        self
    }

    /// A builder that sees this folder and nothing else.
    pub(crate) fn builder(&self) -> ConfigurationBuilder {
        Configuration::builder()
            .directory(&self.0)
            .dotenv(self.0.join(".env"))
            .profile("production")
            .environment::<&str, &str>([])
    }

    /// A problem as it is told, with this folder left out.
    pub(crate) fn told(&self, error: &ConfigurationError) -> Vec<String> {
        let folder = format!("{}/", self.0.display());
        error.problems.iter().map(|it| it.to_string().replace(&folder, "")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Where the value of a setting comes from, and what it is.
pub(crate) fn explained(configuration: &Configuration, key: &str) -> (String, String) {
    let explained = configuration.explain();
    let found = explained.settings.iter().find(|it| it.key == key);
    let found = found.unwrap_or_else(|| panic!("`{key}` is not explained:\n{explained}"));
    (found.value.clone(), found.origin.clone())
}
