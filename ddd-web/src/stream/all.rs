//! The stream of all tasks.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    event::{Text, transitions},
    hub::Reader,
    outlet::{Gone, Outlet},
    position::{LastSeen, Position},
    ring::Read,
    streams::Place,
    wanted::Wanted,
};
use crate::{
    access::{Caller, Permission},
    request::{Answer, Call},
    state::State,
};

/// The transitions of all tasks that the caller may see, from now on or from where it was.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    let wanted = Wanted::of(call.query()?)?;
    let place = state.streams.place(&call.parts.extensions)?;
    let seen = LastSeen::of(&call.parts.headers);
    let (reader, goes_on) = state.streams.hub.read_after(seen.and_then(|it| it.position));
    let mut text = Text::default();
    text.retry(Duration::from_secs(1));
    match (seen, goes_on) {
        (None, _) => text.event(reader.seen(), "open", &json!({})),
        (Some(_), true) => {}
        (Some(_), false) => text.event(reader.seen(), "reset", &json!({ "reason": "not_kept" })),
    }
    let (outlet, response) = Outlet::new();
    let caller = call.context.caller;
    let stream = Stream { state, caller, wanted, reader, place, outlet };
    drop(tokio::spawn(async move { drop(stream.run(text).await) }));
    Ok(response)
}

struct Stream {
    state: Arc<State>,
    caller: Caller,
    wanted: Wanted,
    reader: Reader,
    place: Place,
    outlet: Outlet,
}

impl Stream {
    async fn run(mut self, first: Text) -> Result<(), Gone> {
        self.place.send(&self.outlet, first).await?;
        loop {
            let seen = self.reader.seen();
            if self.place.wait(&self.outlet, seen, self.reader.news()).await.is_none() {
                return Ok(());
            }
            let Some(read) = self.read().await else {
                let mut text = Text::default();
                text.reconnect(seen, Duration::from_secs(1), "store_unavailable");
                return self.place.send(&self.outlet, text).await;
            };
            let mut text = Text::default();
            if read.missed > 0 {
                let at = Position { number: read.gap, ..seen };
                text.event(at, "lagged", &json!({ "missed": read.missed }));
            }
            transitions(&mut text, seen.epoch, &read.wanted);
            self.place.send(&self.outlet, text).await?;
        }
    }

    /// The next news that are wanted and the caller's to see; `None` if the store could not say whose they are.
    async fn read(&mut self) -> Option<Read> {
        let (state, wanted) = (&self.state, &self.wanted);
        if self.caller.may(Permission::Observe) {
            return Some(self.reader.read(|it| wanted.includes(it)));
        }
        let mut read = self.reader.read(|it| wanted.includes(it) && !state.is_internal(&it.name));
        let ids: Vec<_> = read.wanted.iter().map(|it| it.1.id).collect();
        let are_own = match self.caller.owner() {
            Some(owner) => state.streams.owners.are_of(&state.app, owner, &ids).await.ok()?,
            None => Vec::new(),
        };
        let mut are_own = are_own.into_iter();
        read.wanted.retain(|_| are_own.next().unwrap_or_default());
        Some(read)
    }
}
