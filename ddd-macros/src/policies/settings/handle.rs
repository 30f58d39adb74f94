//! `handle = Self::PROFILES: u64`.

use syn::{Expr, Result};

use crate::{options::Found, policies::policy::Handle};

pub(super) fn read(it: Found<'_>) -> Result<Handle> {
    let (path, key) = it.typed()?;
    let wrong = || {
        it.wrong("a handle is a constant; write `handle = PROFILES: u64`, in an `impl` block `handle = Self::PROFILES: u64`, with the type of the keys")
    };
    let Expr::Path(path) = path else { return Err(wrong()) };
    let segments: Vec<_> = path.path.segments.iter().map(|it| &it.ident).collect();
    let (name, of_self) = match *segments {
        [name] => (name, false),
        [first, name] if first == "Self" => (name, true),
        _ => return Err(wrong()),
    };
    Ok(Handle { name: name.clone(), of_self, key: key.clone() })
}
