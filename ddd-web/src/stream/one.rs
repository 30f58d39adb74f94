//! The stream of one task.

use std::{sync::Arc, time::Duration};

use axum::{http::StatusCode, response::IntoResponse};
use ddd_core::{Fence, Progress, TaskId, TaskRecord, TaskStatus, Transition};
use tokio::time::Instant;

use super::{
    event::Text,
    hub::Reader,
    outlet::{Gone, Outlet},
    position::{LastSeen, Position},
    streams::{LOOK, Place},
};
use crate::{
    request::{Answer, Call},
    state::State,
    tasks::{body::Record, get::position, visible},
};

/// A task's record, then its transitions and progress until its run ends, then its record again.
pub(crate) async fn one(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    // The reader first, so that nothing that happens meanwhile is missed.
    let seen = LastSeen::of(&call.parts.headers);
    let (reader, goes_on) = state.streams.hub.read_after(seen.and_then(|it| it.position));
    let record = visible::record(&state, &call.context.caller, call.path("task_id")).await?;
    if record.status.is_terminal() && seen.and_then(|it| it.ended) == Some(record.run) {
        // It was told how the task ended; and this tells a browser, which comes again by itself, not to.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = state.streams.place(&call.parts.extensions)?;
    let (outlet, response) = Outlet::new();
    let (known, base) = (Known::of(&record), call.base().into_owned());
    let stream = Stream { known, id: record.id, base, state, reader, place, outlet };
    drop(tokio::spawn(async move { drop(stream.run(record, goes_on).await) }));
    Ok(response)
}

struct Stream {
    state: Arc<State>,
    id: TaskId,
    /// The path before the routes, for links.
    base: String,
    /// What the client knows of the task.
    known: Known,
    reader: Reader,
    place: Place,
    outlet: Outlet,
}

impl Stream {
    async fn run(mut self, record: TaskRecord, goes_on: bool) -> Result<(), Gone> {
        let mut text = Text::default();
        text.retry(Duration::from_secs(1));
        let at = self.reader.seen();
        if !goes_on && record.status.is_terminal() {
            text.end(at, record.run, &Record::of(&record, &self.base, None));
            return self.place.send(&self.outlet, text).await;
        }
        if !goes_on {
            self.snapshot(&mut text, at, &record).await;
        }
        self.place.send(&self.outlet, text).await?;
        let mut is_known = !goes_on;
        let mut next_look = Instant::now() + LOOK;
        loop {
            let seen = self.reader.seen();
            let news = tokio::time::timeout_at(next_look, self.reader.news());
            if self.place.wait(&self.outlet, seen, news).await.is_none() {
                return Ok(());
            }
            let read = self.reader.read(|it| it.id == self.id);
            let looks = read.missed > 0 || Instant::now() >= next_look;
            let mut text = Text::default();
            for (number, transition) in read.wanted {
                if is_known && self.known.includes(&transition) {
                    continue;
                }
                is_known = true;
                self.known = Known::after(&transition);
                text.transition(Position { epoch: seen.epoch, number }, &transition);
                if transition.is_terminal() {
                    return self.end(text).await;
                }
            }
            if looks {
                next_look = Instant::now() + LOOK;
                match self.look().await {
                    Some(record) if record.status.is_terminal() => return self.end(text).await,
                    Some(record) if Known::of(&record) != self.known => {
                        self.known = Known::of(&record);
                        self.snapshot(&mut text, self.reader.seen(), &record).await;
                    }
                    _ => {}
                }
            }
            self.place.send(&self.outlet, text).await?;
        }
    }

    /// The last word: how the task ended.
    async fn end(mut self, mut text: Text) -> Result<(), Gone> {
        if let Some(record) = self.look().await {
            text.end(self.reader.seen(), record.run, &Record::of(&record, &self.base, None));
        }
        self.place.send(&self.outlet, text).await
    }

    /// Where the task is now.
    async fn snapshot(&self, text: &mut Text, at: Position, record: &TaskRecord) {
        // A store that does not answer leaves it out.
        let position = position(&self.state, record).await.unwrap_or_default();
        text.event(at, "snapshot", &Record::of(record, &self.base, position));
    }

    async fn look(&self) -> Option<TaskRecord> {
        self.state.app.tasks().get(self.id).await.ok().flatten()
    }
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    run: u32,
    fence: Fence,
    status: TaskStatus,
    progress: Option<Progress>,
}

impl Known {
    fn of(record: &TaskRecord) -> Self {
        let progress = record.progress.as_deref().cloned();
        Self { run: record.run, fence: record.fence, status: record.status, progress }
    }

    fn after(transition: &Transition) -> Self {
        let progress = transition.progress.as_deref().cloned();
        Self { run: transition.run, fence: transition.fence, status: transition.to, progress }
    }

    /// Whether a transition is part of what is known: it came before, or led there.
    fn includes(&self, transition: &Transition) -> bool {
        let (here, there) = ((self.run, self.fence), (transition.run, transition.fence));
        if here != there {
            return there < here;
        }
        match &transition.progress {
            Some(progress) => self.progress.as_ref() == Some(&**progress) || self.status != TaskStatus::Running,
            // Under one fence it runs first.
            None => transition.to == self.status || transition.to == TaskStatus::Running,
        }
    }
}
