//! The stores of this process: a connection alone does not say which tables a task goes into.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::core::Core;
use crate::ports::{StoreError, StoreErrorKind, StorePlace};

static STORES: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

pub(super) fn add(core: &Arc<Core>) {
    let mut stores = STORES.lock();
    stores.retain(|it| it.strong_count() > 0);
    stores.push(Arc::downgrade(core));
}

/// The store of an application, for a connection of which nobody knows where it leads.
pub(super) fn of(place: &StorePlace) -> Result<Arc<Core>, StoreError> {
    let found = STORES.lock().iter().filter_map(Weak::upgrade).find(|it| it.place() == *place);
    if let Some(core) = found {
        return Ok(core);
    }
    place.check(&StorePlace::of_kind("postgres"))?;
    let core = only()?;
    place.check(&core.place())?;
    Ok(core)
}

/// The store that is meant where none is named.
pub(super) fn only() -> Result<Arc<Core>, StoreError> {
    let stores = STORES.lock().iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
    let problem = match &stores[..] {
        [] => "no `PostgresStore` is set up in this process; the tables of which one are meant?",
        [first, others @ ..] if others.iter().all(|it| it.texts.schema() == first.texts.schema()) => {
            return Ok(first.clone());
        }
        _ => "several `PostgresStore`s are set up in this process; write `.within(&mut store.on(&mut tx))`",
    };
    Err(StoreError::new(StoreErrorKind::Misconfigured, problem))
}
