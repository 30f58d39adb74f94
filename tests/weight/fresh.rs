//! A package outside the workspace, as a user would make it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

pub(crate) struct Fresh {
    folder: PathBuf,
    name: &'static str,
}

impl Fresh {
    /// A library package with these lines under `[dependencies]`, everything downloaded.
    pub(crate) fn new(name: &'static str, dependencies: &str, source: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}"
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/lib.rs"), source).unwrap();
        let package = Self { folder, name };
        package.cargo(&["fetch", "--quiet"]);
        package
    }

    /// The crates of its tree, itself not counted.
    pub(crate) fn crates(&self) -> BTreeSet<String> {
        let output = self.cargo(&["tree", "-e", "normal", "--prefix", "none", "--no-dedupe"]);
        let mut crates = names(&output);
        crates.retain(|it| !it.starts_with(&format!("{} ", self.name)));
        crates
    }

    /// Seconds to build everything from nothing.
    pub(crate) fn cold_build(&self) -> f64 {
        let target = self.folder.join("target");
        if target.exists() {
            fs::remove_dir_all(target).unwrap();
        }
        self.timed("build")
    }

    /// Seconds to check or build the package alone, its dependencies being there.
    pub(crate) fn rebuild(&self, command: &str) -> f64 {
        self.cargo(&["clean", "--quiet", "-p", self.name]);
        self.timed(command)
    }

    fn timed(&self, command: &str) -> f64 {
        let begun = Instant::now();
        self.cargo(&[command, "--quiet", "--offline"]);
        begun.elapsed().as_secs_f64()
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        run(&self.folder, arguments)
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The crates of a package of the workspace with its default features, itself counted.
pub(crate) fn crates_of_workspace_package(package: &str) -> BTreeSet<String> {
    names(&run(&workspace(), &["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--no-dedupe"]))
}

/// The middle one; of an even number, the lower of the two.
pub(crate) fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) / 2]
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(arguments);
    // What the user's shell or this test run has set would build something else, or elsewhere.
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS"]
    {
        command.env_remove(name);
    }
    command.env("CARGO_INCREMENTAL", "0");
    let output = command.output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// `name version` of each line.
fn names(output: &Output) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.lines().map(|it| it.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    words.filter(|it| !it.is_empty()).collect()
}
