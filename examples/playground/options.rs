//! The command line.

use std::{ffi::OsString, fmt::Display, str::FromStr, time::Duration};

use ddd_web::{Access, ApiKey, Permission};
use tracing::level_filters::LevelFilter;

pub const HELP: &str = "\
A service with tasks to try everything by hand, over HTTP.

Usage: cargo run --example playground [-- OPTIONS]

Options:
  --host <ADDRESS>       Where to listen [default: `server.host`, 127.0.0.1]
  --port <N>             On which port; 0 takes any free one and prints it [default: `server.port`, 8000]
  --workers <N>          How many tasks run at once [default: `tasks.max_workers`, 4 for each core]
  --max-depth <N>        How many tasks may wait in each queue; further ones are answered with 503
  --api-key <NAME=KEY>   Asks every caller for a key; may be given more than once. NAME=KEY:PERMISSIONS grants only
                         these, with commas between: read, submit, submit_with_options, cancel, observe, admin
                         [default: admin, which is all of them]
  --on-any-address       Listens on an address that others reach, even without keys
  --shutdown <SECONDS>   How long running tasks and requests may take after a signal [default: `server.shutdown_timeout`,
                         30]
  --log <LEVEL>          off, error, warn, info, debug or trace, on standard error [default: info]
  --explain-config       Prints every setting with its value and where that comes from, and ends
  --routes               Prints every route with its permission, and ends
  -h, --help             Prints this help

Settings are read from config/default.yaml, config/{profile}.yaml, .env and the environment; options beat them. On SIGHUP
they are read again.

Exit codes: 0 it was told to end, and did; 1 it could not start or serve; 2 the command line is wrong.
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Help,
    Routes,
    Explain(Options),
    Serve(Options),
}

#[derive(Debug)]
pub struct Options {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub workers: Option<usize>,
    pub max_depth: Option<usize>,
    pub access: Access,
    pub shutdown: Option<Duration>,
    pub log: Option<LevelFilter>,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// What is wrong with them, in words.
pub fn read(mut args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options {
        host: None,
        port: None,
        workers: None,
        max_depth: None,
        access: Access::open(),
        shutdown: None,
        log: None,
    };
    let (mut keys, mut on_any_address, mut explain) = (Vec::new(), false, false);
    while let Some(arg) = args.next() {
        let arg = text(arg)?;
        match arg.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "--routes" => return Ok(Command::Routes),
            "--explain-config" => explain = true,
            "--host" => options.host = Some(value(&arg, "an address", &mut args)?),
            "--port" => options.port = Some(number(&arg, &mut args)?),
            "--workers" => options.workers = Some(at_least_one(&arg, number(&arg, &mut args)?)?),
            "--max-depth" => options.max_depth = Some(at_least_one(&arg, number(&arg, &mut args)?)?),
            "--api-key" => keys.push(api_key(&value(&arg, "NAME=KEY", &mut args)?)?),
            "--on-any-address" => on_any_address = true,
            "--shutdown" => options.shutdown = Some(Duration::from_secs(number::<u32>(&arg, &mut args)?.into())),
            "--log" => {
                let level = value(&arg, "a level", &mut args)?;
                options.log =
                    Some(level.parse().map_err(|_| format!("--log: there is no level `{level}`; see --help"))?);
            }
            unknown => return Err(format!("there is no option {unknown}; see --help")),
        }
    }
    options.access = match (keys.is_empty(), on_any_address) {
        (true, false) => Access::open(),
        (true, true) => Access::open().on_any_address(),
        (false, _) => Access::api_keys(keys).map_err(|it| it.to_string())?,
    };
    Ok(if explain { Command::Explain(options) } else { Command::Serve(options) })
}

/// `NAME=KEY` or `NAME=KEY:PERMISSIONS`. It holds a secret, so no message repeats it.
fn api_key(text: &str) -> Result<ApiKey, String> {
    let (name, rest) = text.split_once('=').ok_or("--api-key is written NAME=KEY, or NAME=KEY:PERMISSIONS")?;
    let (key, permissions) = match rest.rsplit_once(':') {
        Some((key, listed)) => (key, permissions(listed)?),
        None => (rest, vec![Permission::Admin]),
    };
    Ok(permissions.into_iter().fold(ApiKey::new(name, key), ApiKey::allow))
}

fn permissions(listed: &str) -> Result<Vec<Permission>, String> {
    listed.split(',').map(|it| it.parse().map_err(|problem| format!("--api-key: {problem}"))).collect()
}

fn text(arg: OsString) -> Result<String, String> {
    arg.into_string().map_err(|it| format!("{} is not valid UTF-8", it.display()))
}

fn value(option: &str, what: &str, args: &mut impl Iterator<Item = OsString>) -> Result<String, String> {
    text(args.next().ok_or_else(|| format!("{option} needs {what}"))?)
}

fn number<T: FromStr<Err: Display>>(option: &str, args: &mut impl Iterator<Item = OsString>) -> Result<T, String> {
    let text = value(option, "a number", args)?;
    text.parse().map_err(|it| format!("{option} needs a number, not `{text}`: {it}"))
}

fn at_least_one(option: &str, number: usize) -> Result<usize, String> {
    if number == 0 { Err(format!("{option} is 0; write at least 1")) } else { Ok(number) }
}
