//! The command line.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub const HELP: &str = "\
Analyses text files as parallel tasks, and tells what the engine knows about them.

Usage: cargo run --example quickstart [-- [OPTIONS] [FILE]...]

Without files, the project's own documentation is analysed. A file that is named twice is analysed once.

Options:
  --slots <N>    How many tasks run at once [default: 4]
  --pace <MS>    Milliseconds of rest after each piece of a file, so that the bars can be watched
                 [default: 15 in a terminal, 0 elsewhere]
  --serve        Afterwards serves the tasks over HTTP on 127.0.0.1, until ctrl-c
  --port <N>     On which port; 0 takes any free one [default: 8000]
  --explain-config
                 Prints every setting with its value and where that comes from, and ends
  -h, --help     Prints this help

Exit codes: 0 all files were analysed; 1 some could not be; 2 the command line is wrong.
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Help,
    Explain(Options),
    Analyse(Options),
}

#[derive(Debug)]
pub struct Options {
    pub files: Vec<File>,
    /// Files that were named more than once, and are analysed once.
    pub repeated: Vec<String>,
    pub slots: usize,
    pub pace: Option<Duration>,
    /// On which port the tasks are served afterwards, if they are.
    pub serve: Option<u16>,
}

/// A file, and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub path: String,
    pub shown: String,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// What is wrong with them, in words.
pub fn read(mut args: impl Iterator<Item = std::ffi::OsString>) -> Result<Command, String> {
    let mut options = Options { files: Vec::new(), repeated: Vec::new(), slots: 4, pace: None, serve: None };
    let (mut only_files, mut serve, mut port, mut explain) = (false, false, None, false);
    while let Some(arg) = args.next() {
        let arg = arg.into_string().map_err(|it| format!("{} is not valid UTF-8", it.display()))?;
        match arg.as_str() {
            _ if only_files => options.add(arg),
            "--" => only_files = true,
            "-h" | "--help" => return Ok(Command::Help),
            "--slots" => {
                options.slots = number(&arg, args.next())?;
                if options.slots == 0 {
                    return Err("--slots is 0; at least 1 task must be able to run".to_owned());
                }
            }
            "--explain-config" => explain = true,
            "--serve" => serve = true,
            "--port" => port = Some(number(&arg, args.next())?),
            "--pace" => options.pace = Some(Duration::from_millis(number(&arg, args.next())?)),
            unknown if unknown.starts_with('-') => return Err(format!("there is no option {unknown}; see --help")),
            _ => options.add(arg),
        }
    }
    if options.files.is_empty() {
        options.files =
            own_documentation().map_err(|it| format!("the project's documentation cannot be listed: {it}"))?;
    }
    if port.is_some() && !serve {
        return Err("--port needs --serve".to_owned());
    }
    options.serve = serve.then(|| port.unwrap_or(8000));
    Ok(if explain { Command::Explain(options) } else { Command::Analyse(options) })
}

impl Options {
    /// Adds a file, or notes that it was named before.
    fn add(&mut self, path: String) {
        let file = File { shown: path.clone(), path };
        if !self.files.contains(&file) {
            self.files.push(file);
        } else if !self.repeated.contains(&file.shown) {
            self.repeated.push(file.shown);
        }
    }
}

fn number<T: std::str::FromStr>(option: &str, value: Option<std::ffi::OsString>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{option} needs a number"))?;
    let text = value.to_string_lossy();
    text.parse().map_err(|_| format!("{option} needs a number, and `{text}` is none"))
}

/// `README.md` and `docs/*.md`, of the project or else of the current folder.
fn own_documentation() -> io::Result<Vec<File>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().filter(|it| it.join("README.md").is_file()).unwrap_or_else(|| Path::new("."));
    let mut paths: Vec<PathBuf> = Vec::new();
    match root.join("docs").read_dir() {
        Ok(entries) => {
            for entry in entries {
                paths.push(entry?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    paths.retain(|it| it.extension().is_some_and(|it| it == "md"));
    paths.sort();
    paths.insert(0, root.join("README.md"));
    let file = |path: PathBuf| File {
        shown: path.strip_prefix(root).unwrap_or(&path).display().to_string(),
        path: path.display().to_string(),
    };
    Ok(paths.into_iter().map(file).collect())
}
