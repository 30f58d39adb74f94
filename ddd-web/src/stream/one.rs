//! The stream of one task.

use std::{sync::Arc, time::Duration};

use axum::{http::StatusCode, response::IntoResponse};
use ddd_core::{Fence, Progress, TaskId, TaskRecord, TaskStatus, Transition};

use super::{
    event::Text,
    hub::{Position, Reader},
    outlet::{Gone, Outlet},
    streams::{LOOK, Place, last_seen},
};
use crate::{
    request::{Answer, Call},
    state::State,
    tasks::get::visible,
};

/// A task's record, then its transitions and progress until its run ends, then its record again.
pub(crate) async fn one(state: Arc<State>, mut call: Call) -> Answer {
    let id = call.path("task_id").await;
    // The reader first, so that nothing that happens meanwhile is missed.
    let seen = last_seen(&call.parts.headers).and_then(Result::ok);
    let (reader, goes_on) = state.streams.hub.read_after(seen);
    let record = visible(&state, &call.context.caller, &id).await?;
    if goes_on && record.status.is_terminal() && !reader.has_more() {
        // It was told how the task ended, and this tells a browser not to come again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = state.streams.place(&call.parts.extensions)?;
    let (outlet, response) = Outlet::new();
    let stream = Stream { known: Known::of(&record), id: record.id, state, reader, place, outlet };
    drop(tokio::spawn(async move { drop(stream.run(record, goes_on).await) }));
    Ok(response)
}

struct Stream {
    state: Arc<State>,
    id: TaskId,
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
            text.event(at, "end", &shown(&record));
            return self.place.send(&self.outlet, text).await;
        }
        if !goes_on {
            text.event(at, "snapshot", &shown(&record));
        }
        self.place.send(&self.outlet, text).await?;
        let mut is_known = !goes_on;
        loop {
            let seen = self.reader.seen();
            let news = tokio::time::timeout(LOOK, self.reader.news());
            let Some(news) = self.place.wait(&self.outlet, seen, news).await else { return Ok(()) };
            let read = self.reader.read(|it| it.id == self.id);
            let has_gap = news.is_err() || read.missed > 0;
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
            if has_gap {
                match self.look().await {
                    Some(record) if record.status.is_terminal() => return self.end(text).await,
                    Some(record) if Known::of(&record) != self.known => {
                        self.known = Known::of(&record);
                        text.event(self.reader.seen(), "snapshot", &shown(&record));
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
            text.event(self.reader.seen(), "end", &shown(&record));
        }
        self.place.send(&self.outlet, text).await
    }

    async fn look(&self) -> Option<TaskRecord> {
        self.state.app.tasks().get(self.id).await.ok().flatten()
    }
}

fn shown(record: &TaskRecord) -> &TaskRecord {
    record
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
