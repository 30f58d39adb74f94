//! JSON in memory.

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
};

use serde::Serialize;
use serde_json::value::RawValue;

/// The room that is kept for the next text; longer ones are rare.
const MOST_ROOM: usize = 4_096;

thread_local! {
    /// Room for a text whose length is not known before it is written.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// The last object without members, and how many may still share it.
    static SHARED: Cell<Option<(u8, Arc<RawValue>)>> = const { Cell::new(None) };
}

/// So many tasks without parameters in a row share theirs: to allocate them costs as much as the rest of a submission. They are
/// no more because whoever shares them counts at the same place, which is dear where several threads do at the same time.
const SHARED_BY: u8 = 16;

/// What tasks without parameters have: it need not be checked each time that it is JSON.
static EMPTY: LazyLock<Option<Box<RawValue>>> =
    LazyLock::new(|| serde_json::value::to_raw_value(&serde_json::Map::new()).ok());

/// A value as JSON, in no more memory than the text takes.
///
/// It is written elsewhere and copied to where it is kept. To shrink it in place would leave behind a piece of memory for each
/// text, which the allocator has to join to others later; that costs more than all the rest.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn written(value: &impl Serialize) -> serde_json::Result<Arc<RawValue>> {
    in_room(|room| {
        serde_json::to_writer(&mut *room, value)?;
        if room == b"{}" { empty() } else { kept(room).map(Arc::from) }
    })
}

/// An object without members, shared by some.
fn empty() -> serde_json::Result<Arc<RawValue>> {
    let (left, shared) = match SHARED.try_with(Cell::take).ok().flatten() {
        Some((left, shared)) => (left, shared),
        None => (SHARED_BY, kept(b"{}")?.into()),
    };
    if left > 1 {
        // A thread that ends has nobody to share with any more.
        let _ = SHARED.try_with(|it| it.set(Some((left - 1, shared.clone()))));
    }
    Ok(shared)
}

/// The same; nothing is kept of a `null`.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn written_unless_null(value: &impl Serialize) -> serde_json::Result<Option<Box<RawValue>>> {
    in_room(|room| {
        serde_json::to_writer(&mut *room, value)?;
        if room == b"null" { Ok(None) } else { kept(room).map(Some) }
    })
}

fn in_room<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut room = ROOM.try_with(Cell::take).unwrap_or_default();
    let done = work(&mut room);
    if room.capacity() <= MOST_ROOM {
        room.clear();
        // A thread that ends needs no room any more.
        let _ = ROOM.try_with(|it| it.set(room));
    }
    done
}

fn kept(text: &[u8]) -> serde_json::Result<Box<RawValue>> {
    match &*EMPTY {
        Some(empty) if text == b"{}" => Ok(empty.clone()),
        _ => serde_json::from_slice::<&RawValue>(text).map(ToOwned::to_owned),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::{collections::HashSet, thread};

    use super::*;

    fn parameters(count: usize) -> Vec<Arc<RawValue>> {
        (0..count).map(|_| written(&serde_json::Map::new()).unwrap()).collect()
    }

    /// Those on record must not keep a counter that every submission and every claim goes to.
    #[test]
    fn no_more_than_some_share_what_tasks_without_parameters_have() {
        let all = parameters(100);
        assert!(all.iter().all(|it| it.get() == "{}"));
        assert!(all.iter().all(|it| Arc::strong_count(it) <= usize::from(SHARED_BY) + 1));
        let mine = all.iter().map(Arc::as_ptr).map(<*const _>::addr).collect::<HashSet<_>>();
        assert!(mine.len() <= 100 / usize::from(SHARED_BY) + 2, "{} pieces of memory", mine.len());
        let theirs = thread::spawn(|| parameters(100)).join().unwrap();
        assert!(theirs.iter().all(|it| !mine.contains(&Arc::as_ptr(it).addr())), "threads share nothing");
    }
}
