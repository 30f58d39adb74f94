//! Reads the command line.

use std::time::Duration;

use crate::options::Options;

/// The options of a command line of `name=value`.
///
/// # Errors
/// One of them is none.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or_else(|| format!("`{argument}` is no `name=value`"))?;
        let number = || value.parse::<u32>().map_err(|it| format!("{name}: {it}"));
        let millis = || number().map(|it| Duration::from_millis(it.into()));
        match name {
            "role" => options.role = value.to_owned(),
            "store" => options.store = value.to_owned(),
            "ledger" => options.ledger = value.into(),
            "slots" => options.slots = number()? as usize,
            "lease" => options.lease = millis()?,
            "heartbeat" => options.heartbeat = millis()?,
            "store_timeout" => options.store_timeout = millis()?,
            "bug" => options.bug = Some(value.parse()?),
            "config" => options.config = Some(value.into()),
            "deaf" => options.deaf = value == "true",
            "from" => options.from = number()?,
            "count" => options.count = number()?,
            "batch" => options.batch = number()?,
            "deployment" => options.deployment = number()?,
            "speed" => options.speed = number()?,
            _ => return Err(format!("`{name}` is no option")),
        }
    }
    Ok(options)
}
